package ingest

import (
	"net/url"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// Spark, Hive, DuckDB and others part a table by the values of some columns, take
// those columns out of the files and call folders after them:
// events/event=buy/day=2024-01-02/part-0.parquet. Read without the folders, every row
// of such a file would lack its event. So each folder is a column of the one value.

// folderColumns are the columns and values that the folders of a path name, outermost
// first. A folder that stands for "no value" names none.
func folderColumns(path string) (out [][2]string) {
	for _, dir := range strings.Split(filepath.ToSlash(filepath.Dir(path)), "/") {
		name, value, ok := strings.Cut(dir, "=")
		if !ok || !isPlainWord(name) || value == "" || value == "__HIVE_DEFAULT_PARTITION__" {
			continue
		}
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
		}
		out = append(out, [2]string{name, value})
	}
	return out
}

// isPlainWord says whether a name is letters, digits and underscores alone, and does
// not begin with a digit.
func isPlainWord(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// addFolders adds the columns of the file's folders to those in it, which come first
// where both have one name.
func (p *parquetFile) addFolders(path string) {
	for _, c := range folderColumns(path) {
		if !p.has(c[0]) {
			p.leaves = append(p.leaves, &parquetLeaf{name: c[0], key: appendJSONString(nil, []byte(c[0])), index: -1, kind: parquet.ByteArray, fixed: []byte(c[1])})
		}
	}
}

// repeat makes rows ready of a column with one value, as a page of a dictionary of one.
func (c *parquetChunk) repeat(n int) {
	if n <= 0 {
		return
	}
	if c.dict == nil {
		v := c.leaf.fixed
		c.dict = &parquetDict{page: &parquetPage{count: 1, text: v, ends: []uint32{0, uint32(len(v))}, valid: utf8.Valid(v)}}
	}
	p := &parquetPage{levels: n, rows: n, count: n, dict: c.dict, at: make([]int32, n)}
	p.refs.Store(1)
	c.have = append(c.have, p)
	c.row += n
}
