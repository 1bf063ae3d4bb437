package model

import (
	"fmt"
	"slices"
)

// List, Get, Put and Remove make Memory a Shelf; its clock counts calls.
func (m *Memory) List(kind string) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Entry
	for _, k := range sortedKeys(m.shelf) {
		if v := m.shelf[k]; v[0].Kind == kind && !m.gone[k] {
			out = append(out, v[len(v)-1])
		}
	}
	return out, nil
}

// Get gives one version; 0 is the newest.
func (m *Memory) Get(kind, name string, version int) (Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := kind + "\x00" + name
	v := m.shelf[k]
	if version == 0 && !m.gone[k] {
		version = len(v)
	}
	if version < 1 || version > len(v) {
		return Entry{}, fmt.Errorf("%w: %s %q", ErrNoEntry, kind, name)
	}
	return v[version-1], nil
}

// Put stores the next version.
func (m *Memory) Put(kind, name string, body []byte, note string) (Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := kind + "\x00" + name
	m.clock++
	e := Entry{Kind: kind, Name: name, Version: len(m.shelf[k]) + 1, Note: note, At: m.clock, Body: slices.Clone(body)}
	m.shelf[k] = append(m.shelf[k], e)
	delete(m.gone, k)
	return e, nil
}

// Remove takes an entry off the shelf.
func (m *Memory) Remove(kind, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := kind + "\x00" + name
	if len(m.shelf[k]) == 0 || m.gone[k] {
		return fmt.Errorf("%w: %s %q", ErrNoEntry, kind, name)
	}
	m.gone[k] = true
	return nil
}

// Recall and Keep make Memory a Cache.
func (m *Memory) Recall(key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.cache[key]
	return b, ok
}

// Keep stores derived bytes.
func (m *Memory) Keep(key string, body []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cache[key] = slices.Clone(body)
}
