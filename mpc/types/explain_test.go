package types_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/testutil/fakekind"
)

// explaining says of its payloads what they are, but of one.
type explaining struct{ named }

func (explaining) Explain(data []byte) ([]types.Detail, error) {
	if data[0] == 2 {
		return nil, errors.New("no words for it")
	}
	return []types.Detail{{Name: "first byte", Value: string('0' + rune(data[0]))}}, nil
}

func TestExplain(t *testing.T) {
	kinds := types.NewPayloadKinds(fakekind.Kind{}, explaining{"words"})
	data := make([]byte, 32)
	data[0] = 1
	details, err := kinds.Explain(types.Payload{Kind: "words", Data: data})
	require.NoError(t, err)
	require.Equal(t, []types.Detail{{Name: "first byte", Value: "1"}}, details)
	details, err = kinds.Explain(types.Payload{Kind: fakekind.Name, Data: fakekind.Note{Chain: "c", To: "a"}.Data()})
	require.NoError(t, err)
	require.Empty(t, details, "notes say nothing beside their claims")
	data[0] = 2
	_, err = kinds.Explain(types.Payload{Kind: "words", Data: data})
	require.ErrorContains(t, err, "no words for it")
	_, err = kinds.Explain(types.Payload{Kind: "words", Data: make([]byte, 32)})
	require.ErrorIs(t, err, types.ErrBadDigest, "what is refused is not explained")
	_, err = kinds.Explain(types.Payload{Kind: "other", Data: data})
	require.ErrorIs(t, err, types.ErrUnknownKind)
}
