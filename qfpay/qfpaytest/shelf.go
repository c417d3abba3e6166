package qfpaytest

// shelf keeps the newest values, by key, and forgets the oldest when it is full.
type shelf[V any] struct {
	max    int
	keys   []string
	values map[string]V
}

func newShelf[V any](limit int) *shelf[V] {
	return &shelf[V]{max: limit, values: make(map[string]V)}
}

// put adds a value under a new key and returns the one that had to go for it.
func (s *shelf[V]) put(key string, value V) (dropped V, full bool) {
	if full = len(s.keys) == s.max; full {
		dropped = s.values[s.keys[0]]
		delete(s.values, s.keys[0])
		s.keys = s.keys[1:]
	}
	s.keys = append(s.keys, key)
	s.values[key] = value
	return dropped, full
}

func (s *shelf[V]) get(key string) (V, bool) {
	value, found := s.values[key]
	return value, found
}

// all returns the values in the order in which they were put.
func (s *shelf[V]) all() []V {
	values := make([]V, len(s.keys))
	for i, key := range s.keys {
		values[i] = s.values[key]
	}
	return values
}
