package checkout

import (
	"os"
	"sync"
	"time"
)

// CatalogFile is a catalogue that follows the file which part of it stands in.
type CatalogFile struct {
	path     string // "" for none
	currency string
	items    []Item // those that stand elsewhere

	mu      sync.Mutex
	current *Catalogue
	state   fileState
	looked  time.Time
}

// fileState tells one content of a file from another.
type fileState struct {
	modified time.Time
	size     int64
}

// lookInterval is how often the file is looked at, at most.
const lookInterval = time.Second

// OpenCatalog reads the catalogue.
func OpenCatalog(path, currency string, items []Item) (*CatalogFile, error) {
	f := &CatalogFile{path: path, currency: currency, items: items}
	f.state, _ = stateOf(path)
	current, err := f.read()
	f.current = current
	return f, err
}

// Catalogue returns the catalogue as the file has it now. An error says that
// the file was changed into something that cannot be read; it comes once, with
// the last good catalogue, which stays in force.
func (f *CatalogFile) Catalogue(now time.Time) (*Catalogue, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.path == "" || now.Sub(f.looked).Abs() < lookInterval {
		return f.current, nil
	}
	f.looked = now
	state, err := stateOf(f.path)
	if state == f.state {
		return f.current, nil
	}
	f.state = state
	if err != nil {
		return f.current, err
	}
	changed, err := f.read()
	if err != nil {
		return f.current, err
	}
	f.current = changed
	return f.current, nil
}

// stateOf is the zero state for a file that is not there.
func stateOf(path string) (fileState, error) {
	if path == "" {
		return fileState{}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}, err
	}
	return fileState{info.ModTime(), info.Size()}, nil
}

func (f *CatalogFile) read() (*Catalogue, error) {
	items := f.items
	if f.path != "" {
		more, err := ReadItems(f.path)
		if err != nil {
			return nil, err
		}
		items = append(items[:len(items):len(items)], more...)
	}
	return NewCatalogue(f.currency, items)
}
