package backup

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/sequencer-mpc/sequencer/mpc/types"
)

// gathering collects what the last manifest of a chain describes from its files.
type gathering struct {
	last   Manifest
	wanted map[string]Entry
	saved  *Saved
}

func newGathering(last Manifest) *gathering {
	g := &gathering{last, make(map[string]Entry, len(last.Records)), &Saved{ChainID: last.ChainID, Created: last.Created}}
	for _, e := range last.Records {
		g.wanted[e.name()] = e
	}
	return g
}

// add takes over what is wanted of a file's content, and wipes the rest.
func (g *gathering) add(f *file, m Manifest) error {
	outer, err := m.inner().encode()
	if err != nil {
		return err
	}
	inner, err := f.manifest.encode()
	if err != nil {
		return err
	}
	if string(outer) != string(inner) {
		return fmt.Errorf("%w: the manifest beside it is not the one inside", ErrChain)
	}
	if err := g.addRecords(f, m.Number); err != nil {
		return err
	}
	if m.Number == g.last.Bindings.In {
		g.saved.Bindings = f.contents.Bindings
	}
	if m.Number == g.last.Number {
		g.saved.Tombstones, g.saved.Seeds = f.contents.Tombstones, f.seeds
		return nil
	}
	for _, seed := range f.seeds {
		types.Wipe(seed)
	}
	return nil
}

func (g *gathering) addRecords(f *file, number int) error {
	for i := range f.contents.Records {
		r := f.contents.Records[i]
		have, err := entryOf(&r, number)
		if err != nil {
			return err
		}
		want, wanted := g.wanted[have.name()]
		if !wanted || want.In != number {
			types.Wipe(r.Data) // it was retired since, or changed
			continue
		}
		if want.Context == "" { // a manifest of version 1
			have.Context, have.Request = "", ""
		}
		if have != want {
			return fmt.Errorf("%w: record %s is not the one that the manifest describes", ErrChain, have.name())
		}
		delete(g.wanted, have.name())
		g.saved.Records = append(g.saved.Records, r)
	}
	return nil
}

// complete checks that nothing is missing, and sorts.
func (g *gathering) complete() error {
	for name := range g.wanted {
		return fmt.Errorf("%w: record %s is in no file", ErrChain, name)
	}
	if have := bindingsOf(g.saved.Bindings, g.last.Bindings.In); have != g.last.Bindings {
		return fmt.Errorf("%w: it has other bindings than its manifest describes", ErrChain)
	}
	tombstones := make([]string, len(g.saved.Tombstones))
	for i, id := range g.saved.Tombstones {
		tombstones[i] = string(id)
	}
	if !slices.Equal(tombstones, g.last.Tombstones) {
		return fmt.Errorf("%w: it has other tombstones than its manifest describes", ErrChain)
	}
	if !slices.EqualFunc(g.saved.Seeds, g.last.Identity, sameKey) {
		return fmt.Errorf("%w: it has other identity keys than its manifest describes", ErrChain)
	}
	slices.SortFunc(g.saved.Records, func(a, b types.Record) int {
		if c := strings.Compare(string(a.KeyID), string(b.KeyID)); c != 0 {
			return c
		}
		if a.Epoch != b.Epoch {
			if a.Epoch < b.Epoch {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Session.String(), b.Session.String())
	})
	return nil
}

// sameKey reports whether a seed gives the public key.
func sameKey(seed []byte, public string) bool {
	k := ed25519.NewKeyFromSeed(seed)
	defer types.Wipe(k)
	return hex.EncodeToString(k[ed25519.SeedSize:]) == public
}
