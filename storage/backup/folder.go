package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sequencer-mpc/sequencer/mpc/types"
	"github.com/sequencer-mpc/sequencer/storage"
)

// Folder is where the files of a chain are.
type Folder struct {
	dir string
	// last is the number of the last file that counts; 0: all do.
	last int
}

// At is the folder of a path, which need not be there yet.
func At(dir string) Folder { return Folder{dir: dir} }

// Upto is the folder as it was when the file with a number, from 1, was the newest one.
// Nothing can be added to it.
func (f Folder) Upto(number int) Folder { return Folder{f.dir, number} }

func (f Folder) path(n int, ext string) string {
	return filepath.Join(f.dir, fmt.Sprintf("%06d.%s", n, ext))
}

// Chain reads all manifests, oldest first, and checks that each names the one
// before. It begins with a full one: those before may have been removed, or left behind
// in another folder. Nothing is decrypted, and files are not read: CheckFiles does that.
// ErrNone if there is none.
func (f Folder) Chain() ([]Manifest, error) {
	numbers, err := f.numbers("json")
	if err != nil {
		return nil, err
	}
	return f.chain(numbers)
}

// Newest is the end of the chain, from the newest full file on: all that is needed to
// restore what the node had, and to go on. What is broken before it does not matter.
func (f Folder) Newest() ([]Manifest, error) {
	numbers, err := f.numbers("json")
	if err != nil {
		return nil, err
	}
	for i := len(numbers) - 1; i > 0; i-- {
		if m, err := f.manifest(numbers[i]); err == nil && m.Full {
			return f.chain(numbers[i:])
		}
	}
	return f.chain(numbers)
}

// numbers are those of the manifests, or of the files, ascending.
func (f Folder) numbers(ext string) ([]int, error) {
	names, err := filepath.Glob(filepath.Join(f.dir, "[0-9][0-9][0-9][0-9][0-9][0-9]."+ext))
	if err != nil {
		return nil, err
	}
	numbers := make([]int, len(names))
	for i, name := range names {
		if numbers[i], err = strconv.Atoi(strings.TrimSuffix(filepath.Base(name), "."+ext)); err != nil {
			return nil, err
		}
	}
	slices.Sort(numbers)
	if f.last > 0 {
		numbers = slices.DeleteFunc(numbers, func(n int) bool { return n > f.last })
		if !slices.Contains(numbers, f.last) {
			return nil, fmt.Errorf("%w: %s", ErrNone, f.path(f.last, ext))
		}
	}
	return numbers, nil
}

// chain reads the manifests with these numbers.
func (f Folder) chain(numbers []int) ([]Manifest, error) {
	if len(numbers) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNone, f.dir)
	}
	var chain []Manifest
	for i, n := range numbers {
		m, err := f.manifest(n)
		if err != nil {
			return nil, err
		}
		switch {
		case m.Number != n:
			return nil, fmt.Errorf("%w: the manifest of file %d says it is of file %d", ErrChain, n, m.Number)
		case i == 0 && !m.Full:
			return nil, fmt.Errorf("%w: file %d needs those before it, and the manifest of file %d is missing", ErrChain, n, n-1)
		case n == 1 && m.Previous != "":
			return nil, fmt.Errorf("%w: file 1 says that one was before it", ErrChain)
		case i > 0 && n != numbers[i-1]+1:
			return nil, fmt.Errorf("%w: the manifest of file %d is missing", ErrChain, numbers[i-1]+1)
		case i > 0 && m.Previous != chain[i-1].File:
			return nil, fmt.Errorf("%w: file %d was made after another file %d than the one here", ErrChain, n, n-1)
		}
		chain = append(chain, m)
	}
	return chain, nil
}

func (f Folder) manifest(n int) (Manifest, error) {
	r, err := os.Open(f.path(n, "json"))
	if err != nil {
		return Manifest{}, err
	}
	defer r.Close()
	m, err := readManifest(r)
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", r.Name(), err)
	}
	return m, nil
}

// CheckFiles compares every file with the hash that its manifest gives.
func (f Folder) CheckFiles(chain []Manifest) error {
	for _, m := range chain {
		sum, err := f.sum(m.Number)
		if err != nil {
			return err
		}
		if sum != m.File {
			return fmt.Errorf("%w: %s is not the file that its manifest describes", ErrChain, f.path(m.Number, "age"))
		}
	}
	return nil
}

func (f Folder) sum(n int) (string, error) {
	r, err := os.Open(f.path(n, "age"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %s is missing", ErrChain, f.path(n, "age"))
	}
	if err != nil {
		return "", err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", fmt.Errorf("read %s: %w", r.Name(), err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Head is the end of a folder, where the next file goes.
type Head struct {
	// Last is the newest manifest; nil if the folder holds nothing, or is not there. If it
	// cannot be read itself it has a number and nothing else.
	Last *Manifest
	// Broken is why no file of changes may follow: what it would lead back to is not
	// there, or is not what it was. The next one must be full.
	Broken error
}

// Head reads all that the newest manifest leads back to.
func (f Folder) Head() (Head, error) {
	chain, err := f.Newest()
	switch {
	case err == nil:
		return Head{&chain[len(chain)-1], f.checkNeeded(chain)}, nil
	case errors.Is(err, ErrNewerFormat) || types.ReasonOf(err) == "": // what is there is whole, or not to be read now
		return Head{}, err
	}
	return f.brokenHead(err)
}

// checkNeeded: the files that the newest one of a chain leads back to are whole.
func (f Folder) checkNeeded(chain []Manifest) error {
	needed, err := neededOf(chain)
	if err != nil {
		return err
	}
	return f.CheckFiles(needed)
}

// brokenHead is that of a folder whose manifests are no chain. Files that have lost their
// manifest count: they may be all that there is, and are not written over. What the newest
// manifest says of the node is as good as ever, if it is whole: see LostSince.
func (f Folder) brokenHead(why error) (Head, error) {
	last := Manifest{}
	for _, ext := range []string{"age", "json"} {
		numbers, err := f.numbers(ext)
		if err != nil {
			return Head{}, err
		}
		if n := len(numbers); n > 0 {
			last.Number = max(last.Number, numbers[n-1])
		}
	}
	if last.Number == 0 {
		return Head{}, nil
	}
	if m, err := f.manifest(last.Number); err == nil && m.Number == last.Number {
		last = m
	}
	return Head{&last, why}, nil
}

// Add puts a file at the end of the folder, with what write writes, and its
// manifest. The manifest comes last and at once: a crash before leaves the chain as
// it was. It returns the manifest with the file's hash.
func (f Folder) Add(m Manifest, write func(io.Writer) error) (Manifest, error) {
	if f.last > 0 {
		return m, fmt.Errorf("add to a folder of which files after the one with number %d do not count", f.last)
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return m, fmt.Errorf("make folder for backups: %w", err)
	}
	head, err := f.Head()
	switch last := head.Last; {
	case err != nil:
		return m, err
	case last == nil && m.Number != 1, last != nil && (m.Number != last.Number+1 || m.Previous != last.File):
		return m, fmt.Errorf("%w: the file does not follow the last one in %s", ErrChain, f.dir)
	case head.Broken != nil && !m.Full:
		return m, fmt.Errorf("no file of changes may follow: %w", head.Broken)
	}
	h := sha256.New()
	if err := install(f.path(m.Number, "age"), func(w io.Writer) error { return write(io.MultiWriter(w, h)) }); err != nil {
		return m, err
	}
	m.File = hex.EncodeToString(h.Sum(nil))
	text, err := m.encode()
	if err != nil {
		return m, err
	}
	return m, install(f.path(m.Number, "json"), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// install makes a file, mode 0600, that appears complete and on disk, or not at
// all. What an interrupted one left there goes, if it can be removed.
func install(path string, write func(io.Writer) error) error {
	storage.RemoveLeftovers(path) // what is left of it is encrypted, and not in the way
	w, err := os.CreateTemp(filepath.Dir(path), storage.TempPattern(path))
	if err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	err = write(w)
	if err == nil {
		err = w.Sync()
	}
	if err = errors.Join(err, w.Close()); err == nil {
		err = os.Rename(w.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("make %s: %w", path, err), os.Remove(w.Name()))
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Saved is what a chain of backups holds of the moment of its last file.
type Saved struct {
	ChainID string
	Created time.Time
	// Seeds of the identity keys, oldest first.
	Seeds [][]byte
	storage.Contents
}

// Wipe overwrites everything secret.
func (s *Saved) Wipe() {
	for _, seed := range s.Seeds {
		types.Wipe(seed)
	}
	s.Contents.Wipe()
}

// Open checks the end of the chain that Newest gives and the files that it needs,
// decrypts those, and gathers what the last manifest describes. The caller wipes it.
// Errors: ErrNone, ErrChain, ErrDamaged, ErrWrongKey, ErrNewerFormat.
func (f Folder) Open(with Identities) (*Saved, error) {
	chain, err := f.Newest()
	if err != nil {
		return nil, err
	}
	needed, err := neededOf(chain)
	if err != nil {
		return nil, err
	}
	if err := f.CheckFiles(needed); err != nil {
		return nil, err
	}
	g := newGathering(chain[len(chain)-1])
	for _, m := range needed {
		if err := f.gather(g, m, with); err != nil {
			g.saved.Wipe()
			return nil, fmt.Errorf("%s: %w", f.path(m.Number, "age"), err)
		}
	}
	if err := g.complete(); err != nil {
		g.saved.Wipe()
		return nil, err
	}
	return g.saved, nil
}

// neededOf are the files of a chain that its last one leads back to.
func neededOf(chain []Manifest) ([]Manifest, error) {
	last := chain[len(chain)-1]
	var needed []Manifest
	for _, m := range chain {
		if slices.Contains(last.In(), m.Number) {
			needed = append(needed, m)
		}
	}
	if len(needed) != len(last.In()) {
		return nil, fmt.Errorf("%w: file %d needs a file before the newest full one, %d", ErrChain, last.Number, chain[0].Number)
	}
	return needed, nil
}

func (f Folder) gather(g *gathering, m Manifest, with Identities) error {
	r, err := os.Open(f.path(m.Number, "age"))
	if err != nil {
		return err
	}
	defer r.Close()
	content, err := readFile(r, with)
	if err != nil {
		return err
	}
	err = g.add(content, m)
	if err != nil {
		content.wipe()
	}
	return err
}
