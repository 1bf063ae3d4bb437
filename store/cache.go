package store

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/s2"

	"dwell/model"
)

// DefaultCacheSize is how many bytes a cache keeps when none is given: the
// population of five million users, and answers.
const DefaultCacheSize = 512 << 20

// A Cache keeps derived bytes as files in a folder of its own, which may be
// deleted at any time. What it gives is what was kept under that very key: a
// file that is damaged, or another key's, is as good as none. Errors are not
// reported, for whatever is in a cache can be computed again.
//
// Each file is the xxhash64 of the rest, the key's length, the key, the body. A
// long body is packed (S2, which unpacks faster than a disk reads), and then the
// highest bit of the length is set.
type Cache struct {
	dir    string
	most   int64
	create createFunc

	mu   sync.Mutex
	size int64 // of all files, as far as known; -1 before the first look
}

var _ model.Cache = (*Cache)(nil)

// NewCache is a cache in dir of at most most bytes; 0 means DefaultCacheSize.
func NewCache(dir string, most int64) *Cache {
	if most <= 0 {
		most = DefaultCacheSize
	}
	return &Cache{dir: dir, most: most, size: -1, create: createTemp}
}

const cacheExt = ".dwell"

func (c *Cache) path(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(c.dir, hex.EncodeToString(sum[:16])+cacheExt)
}

// Recall gives what was kept under key.
func (c *Cache) Recall(key string) ([]byte, bool) {
	path := c.path(key)
	raw, err := os.ReadFile(path)
	if err != nil || len(raw) < cacheHeading || binary.LittleEndian.Uint64(raw) != xxhash.Sum64(raw[8:]) {
		return nil, false
	}
	head := binary.LittleEndian.Uint32(raw[8:])
	n := int64(head &^ packedBody)
	if n > int64(len(raw)-cacheHeading) || !bytes.Equal(raw[cacheHeading:cacheHeading+n], []byte(key)) {
		return nil, false
	}
	// The time of last use decides who goes first.
	now := time.Now()
	_ = os.Chtimes(path, now, now)
	body := raw[cacheHeading+n:]
	if head&packedBody != 0 {
		if body, err = s2.Decode(nil, body); err != nil {
			return nil, false
		}
	}
	return body, true
}

const (
	packedBody   = 1 << 31  // in a file's length of the key
	minPacked    = 16 << 10 // shorter bodies are kept as they are
	bodyOfWhole  = 2        // a body may take this part of the cache: one half
	cacheHeading = 12
)

// Keep stores body under key; a body that takes more than half of the cache is
// not kept.
func (c *Cache) Keep(key string, body []byte) {
	raw := fileOf(key, body)
	if int64(len(raw)) > c.most/bodyOfWhole || os.MkdirAll(c.dir, 0o700) != nil {
		return
	}
	binary.LittleEndian.PutUint64(raw, xxhash.Sum64(raw[8:]))
	tmp, err := c.create.write(c.dir, cacheTemp, raw, false)
	if err != nil {
		return
	}
	if os.Rename(tmp, c.path(key)) != nil {
		os.Remove(tmp)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size >= 0 {
		c.size += int64(len(raw))
	}
	if c.size < 0 || c.size > c.most {
		c.trim()
	}
}

// fileOf is a file but for its sum.
func fileOf(key string, body []byte) []byte {
	head, from := uint32(len(key)), cacheHeading+len(key)
	var raw []byte
	if most := s2.MaxEncodedLen(len(body)); len(body) >= minPacked && most > 0 {
		head |= packedBody
		raw = make([]byte, from+most)
		raw = raw[:from+len(s2.Encode(raw[from:], body))]
	} else {
		raw = make([]byte, from+len(body))
		copy(raw[from:], body)
	}
	binary.LittleEndian.PutUint32(raw[8:], head)
	copy(raw[cacheHeading:], key)
	return raw
}

// trim looks at the folder and removes what was used longest ago until three
// quarters of the room are taken.
func (c *Cache) trim() {
	type file struct {
		path string
		size int64
		used time.Time
	}
	var files []file
	c.size = 0
	sweepOld(c.dir, cacheTemp)
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		fi, err := e.Info()
		if err != nil || !strings.HasSuffix(e.Name(), cacheExt) {
			continue
		}
		files = append(files, file{filepath.Join(c.dir, e.Name()), fi.Size(), fi.ModTime()})
		c.size += fi.Size()
	}
	if c.size <= c.most {
		return
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path)) })
	for _, f := range files {
		if c.size <= c.most*3/4 {
			return
		}
		if os.Remove(f.path) == nil {
			c.size -= f.size
		}
	}
}
