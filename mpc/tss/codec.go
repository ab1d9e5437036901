package tss

import (
	"errors"
	"fmt"

	"github.com/bnb-chain/tss-lib/v2/tss"
	"google.golang.org/protobuf/proto"
)

// encodeContent gives the body of a message: the protobuf of the library's
// content alone, without the Any around it whose type URL a peer could choose.
func encodeContent(content tss.MessageContent) ([]byte, error) {
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", fullName(content), err)
	}
	return body, nil
}

// decodeContent decodes a body into the one struct of its type. The size is
// checked before anything is allocated for it.
func decodeContent(spec messageSpec, body []byte) (tss.MessageContent, error) {
	if len(body) > spec.MaxBytes {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are allowed", spec.Type, len(body), spec.MaxBytes)
	}
	content := spec.content()
	if err := proto.Unmarshal(body, content); err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Type, errNotDecodable)
	}
	if len(content.ProtoReflect().GetUnknown()) != 0 {
		return nil, fmt.Errorf("%s has unknown fields", spec.Type)
	}
	if !content.ValidateBasic() {
		return nil, fmt.Errorf("%s lacks a field", spec.Type)
	}
	return content, nil
}

// errNotDecodable replaces protobuf's error, which differs from run to run on
// purpose and may quote the body, a share for instance.
var errNotDecodable = errors.New("body is no valid protobuf")
