#!/usr/bin/env bash
# Generates the Go code of all .proto files. Needs Go and the Go module proxy
# only: the tools are installed at pinned versions into build/tools, and the
# imported .proto files come out of the module cache.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly gocosmos=v1.7.2 gateway=v1.16.0 openapi=v2.29.0
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
install_tool github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2 "$openapi"
(cd proto/compile && go build -o "$tools/compile" .)

# module_dir downloads a module at the version of go.mod if the cache lacks it.
module_dir() { # module path
  go mod download "$1"
  go list -m -f '{{.Dir}}' "$1"
}
sdk=$(module_dir github.com/cosmos/cosmos-sdk)
gogo=$(module_dir github.com/cosmos/gogoproto)
cosmosproto=$(module_dir github.com/cosmos/cosmos-proto)
gatewaydir=$(module_dir github.com/grpc-ecosystem/grpc-gateway)

rm -rf "$work"
trap 'rm -rf "$work"' EXIT # or Go would take what is in it for packages of this module
files=()
while IFS= read -r file; do files+=("${file#./}"); done < <(cd proto && find . -name '*.proto' | sort)
generate() { # plugin, options, files
  local plugin=$1 options=$2
  shift 2
  "$tools/compile" -root proto -root "$sdk/proto" -root "$gogo" -root "$cosmosproto/proto" \
    -root "$gatewaydir/third_party/googleapis" -plugin "$tools/$plugin" -opt "$options" -out "$work" "$@"
}
generate protoc-gen-gocosmos plugins=grpc,Mgoogle/protobuf/any.proto=github.com/cosmos/gogoproto/types/any "${files[@]}"
generate protoc-gen-grpc-gateway logtostderr=true,allow_colon_final_segments=true "${files[@]}"
# What the gateway serves, for people and for generators of clients.
readonly documented=(mpc settlement)
for name in "${documented[@]}"; do
  generate protoc-gen-openapiv2 "allow_merge=true,merge_file_name=$name,json_names_for_fields=false,openapi_naming_strategy=fqn,openapi_configuration=proto/openapi/$name.yaml" \
    "sequencer/$name/v1/query.proto"
done

# Only now that all of it is there does it take the place of what was.
complete() {
  local name
  for name in "${documented[@]}"; do
    [ -s "$work/$name.swagger.json" ] || return
  done
  [ -d "$work/$module/x" ] && [ -d "$work/$module/mpc" ]
}
complete || { echo "nothing was generated; the code stays as it is"; exit 1; }
find x mpc \( -name '*.pb.go' -o -name '*.pb.gw.go' \) -delete
cp -r "$work/$module/." .
for name in "${documented[@]}"; do
  cp "$work/$name.swagger.json" "x/$name/openapi/openapi.json"
done
