package shop

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

// CatalogFile is a catalogue that follows the file which part of it stands in.
type CatalogFile struct {
	path     string // "" for none
	currency string
	items    []Item // those that stand elsewhere
	taken    []string
	log      *zap.Logger

	mu      sync.Mutex
	current *Catalogue  // the last good one
	sum     [32]byte    // of what was read last
	err     error       // what is wrong with what was read last
	said    string      // the error that the log has
	info    os.FileInfo // of the file when it was read last; nil if it was not there
	looked  time.Time
	read    time.Time
}

const (
	// lookInterval is how often the file system is asked about the file, at most.
	lookInterval = time.Second

	// readInterval is how often the file is read, at least, while somebody buys:
	// another file may have the same size and time.
	readInterval = 3 * time.Second
)

// OpenCatalog reads the catalogue: the items, and those of the file at the path,
// which is "" for none. No item may have an id that is taken: its pay link would be
// another address of the site. The log is told of later changes that cannot be read.
func OpenCatalog(path, currency string, items []Item, log *zap.Logger, taken ...string) (f *CatalogFile, err error) {
	f = &CatalogFile{path: path, currency: currency, items: items, log: log, taken: taken}
	if path == "" {
		f.current, err = f.catalogue(items)
		return f, err
	}
	return f, f.follow()
}

// Catalogue returns the catalogue as the file has it now, or has had it some
// seconds ago. While the file cannot be read, the last good one stays in force.
func (f *CatalogFile) Catalogue(now time.Time) *Catalogue {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.path != "" && f.isDue(now) {
		f.read = now
		f.say(f.follow())
	}
	return f.current
}

// Read reads the catalogue as the file has it now. What is sold stays as it is.
func (f *CatalogFile) Read() (*Catalogue, error) {
	if f.path == "" {
		return f.catalogue(f.items)
	}
	text, _, err := readCatalog(f.path)
	if err != nil {
		return nil, err
	}
	return f.parse(text)
}

// isDue reports whether the file is to be read. A change that the file system shows
// is followed sooner; that it shows none proves nothing.
func (f *CatalogFile) isDue(now time.Time) bool {
	if now.Sub(f.looked).Abs() < lookInterval {
		return false
	}
	f.looked = now
	info, err := os.Stat(f.path)
	unchanged := err == nil && f.info != nil && os.SameFile(info, f.info) && info.Size() == f.info.Size() && info.ModTime().Equal(f.info.ModTime())
	return !unchanged || now.Sub(f.read).Abs() >= readInterval
}

// follow reads the file and takes up what is new in it. It returns what is wrong
// with the file.
func (f *CatalogFile) follow() error {
	text, info, err := readCatalog(f.path)
	if err != nil {
		f.info = nil // try again soon
		return err
	}
	f.info = info
	sum := sha256.Sum256(text)
	if sum == f.sum {
		return f.err
	}
	changed, err := f.parse(text)
	f.sum, f.err = sum, err
	if err == nil {
		f.current = changed
	}
	return err
}

func (f *CatalogFile) parse(text []byte) (*Catalogue, error) {
	items, err := parseItems(f.path, text)
	if err != nil {
		return nil, err
	}
	return f.catalogue(append(f.items[:len(f.items):len(f.items)], items...))
}

func (f *CatalogFile) catalogue(items []Item) (*Catalogue, error) {
	for _, item := range items {
		if slices.Contains(f.taken, item.ID) {
			return nil, fmt.Errorf("item %q: id: its pay link is another address of the site, such as the notify_path: give it another id", item.ID)
		}
	}
	return NewCatalogue(f.currency, items)
}

// say logs an error once, until another one or none takes its place.
func (f *CatalogFile) say(err error) {
	said := ""
	if err != nil {
		said = err.Error()
	}
	switch {
	case said == f.said:
		return
	case err != nil:
		f.log.Error("the catalogue cannot be read: the previous one stays in use", zap.Error(err))
	default:
		f.log.Info("the catalogue can be read again")
	}
	f.said = said
}
