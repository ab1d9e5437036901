#!/usr/bin/env bash
# Generates the Go code of all .proto files. Needs Go and the Go module proxy
# only: the tools are installed at pinned versions into build/tools, and the
# imported .proto files come out of the module cache.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly gocosmos=v1.7.2 gateway=v1.16.0 buf=v1.64.0
readonly module=github.com/sequencer-mpc/sequencer
tools="$PWD/build/tools"
work="$PWD/build/proto"

install_tool() { # package, version
  local name stamp
  name=$(basename "$1")
  stamp="$tools/.$name-$2"
  [ -e "$stamp" ] && return
  GOBIN="$tools" go install "$1@$2"
  touch "$stamp"
}
mkdir -p "$tools"
install_tool github.com/cosmos/gogoproto/protoc-gen-gocosmos "$gocosmos"
install_tool github.com/grpc-ecosystem/grpc-gateway/protoc-gen-grpc-gateway "$gateway"
install_tool github.com/bufbuild/buf/cmd/buf "$buf"

rm -rf "$work"
mkdir -p "$work/third_party"
cp -r proto "$work/proto"
rm -f "$work/proto/buf.yaml" "$work/proto/buf.gen.yaml" "$work/proto/generate.sh"
cp proto/buf.yaml proto/buf.gen.yaml "$work/"

# module_dir downloads a module at the version of go.mod if the cache lacks it.
module_dir() { # module path
  go mod download "$1"
  go list -m -f '{{.Dir}}' "$1"
}
sdk=$(module_dir github.com/cosmos/cosmos-sdk)
gogo=$(module_dir github.com/cosmos/gogoproto)
cosmosproto=$(module_dir github.com/cosmos/cosmos-proto)
gatewaydir=$(module_dir github.com/grpc-ecosystem/grpc-gateway)
copy_protos() { # from, to
  (cd "$1" && find . -name '*.proto' -print0) | while IFS= read -r -d '' f; do
    mkdir -p "$2/$(dirname "$f")"
    install -m 0644 "$1/$f" "$2/$f"
  done
}
copy_protos "$sdk/proto/cosmos" "$work/third_party/cosmos"
copy_protos "$sdk/proto/amino" "$work/third_party/amino"
copy_protos "$sdk/proto/tendermint" "$work/third_party/tendermint"
copy_protos "$gogo/gogoproto" "$work/third_party/gogoproto"
copy_protos "$cosmosproto/proto/cosmos_proto" "$work/third_party/cosmos_proto"
copy_protos "$gatewaydir/third_party/googleapis/google" "$work/third_party/google"

(cd "$work" && PATH="$tools:$PATH" buf generate)

find x mpc -name '*.pb.go' -delete 2>/dev/null || true
find x mpc -name '*.pb.gw.go' -delete 2>/dev/null || true
cp -r "$work/gen/$module/." .
rm -rf "$work" # or Go would take the copies for packages of this module
