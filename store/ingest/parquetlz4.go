package ingest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// Columns packed with LZ4_RAW are unpacked here and handed to the library as if
// they were not packed. The library (0.32.0) loses what its LZ4 decoder gives
// whenever that did not fit into the buffer it was given: the page is then zeros, an
// error where a page has levels and wrong values where it has none; and over a
// damaged page the decoder asks for ever more memory.
//
// So the file is opened a second time with a footer that calls those columns not
// packed, and their bytes come from a lz4Chunk, which writes each page anew.

// lz4Span is where a packed column of a row group stands.
type lz4Span struct{ from, size int64 }

// unpackLZ4 opens the file again if a column of it is packed so; otherwise it
// changes nothing.
func (p *parquetFile) unpackLZ4(size int64) error {
	meta := p.file.Metadata()
	p.lz4 = make([]map[int]lz4Span, len(meta.RowGroups))
	found := false
	for g := range meta.RowGroups {
		p.lz4[g] = map[int]lz4Span{}
		for i := range meta.RowGroups[g].Columns {
			c := &meta.RowGroups[g].Columns[i].MetaData
			if c.Codec != format.Lz4Raw {
				continue
			}
			span := lz4Span{c.DataPageOffset, c.TotalCompressedSize}
			if c.DictionaryPageOffset != 0 {
				span.from = c.DictionaryPageOffset
			}
			if span.from < 0 || span.size < 0 || span.from > size-span.size {
				return errParquet
			}
			found = true
			p.lz4[g][i] = span
			c.Codec, c.TotalCompressedSize = format.Uncompressed, math.MaxInt64-span.from // it ends with its pages
		}
	}
	if !found {
		return nil
	}
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), meta)
	if err != nil {
		return err
	}
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	footer = append(footer, parquetMagic...)
	again := &footed{ReaderAt: p.f, at: size, footer: footer}
	p.file, err = parquet.OpenFile(again, size+int64(len(footer)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	return err
}

// pages are those of one column of a row group.
func (p *parquetFile) pages(group, column int, c parquet.ColumnChunk) parquet.Pages {
	span, packed := p.lz4[group][column]
	if chunk, ok := c.(*parquet.FileColumnChunk); ok && packed {
		return chunk.PagesFrom(newLZ4Chunk(p.f, span))
	}
	return c.Pages()
}

// footed is a file with another footer behind its end.
type footed struct {
	io.ReaderAt
	at     int64
	footer []byte
}

func (f *footed) ReadAt(b []byte, off int64) (n int, err error) {
	if off < f.at {
		if n, err = f.ReaderAt.ReadAt(b[:min(int64(len(b)), f.at-off)], off); n == len(b) || err != nil && err != io.EOF {
			return n, err
		}
	}
	k, err := bytes.NewReader(f.footer).ReadAt(b[n:], off+int64(n)-f.at)
	return n + k, err
}

// A lz4Chunk gives the pages of a packed column unpacked. It is read from its
// beginning to its end, as the library does.
type lz4Chunk struct {
	in   *bufio.Reader
	dec  *thrift.Decoder
	left int64  // packed bytes, headers among them, of which in has taken some
	at   int64  // where out begins, as the reader sees it
	out  []byte // of a page, not yet read
	buf  []byte
}

func newLZ4Chunk(f io.ReaderAt, span lz4Span) *lz4Chunk {
	in := bufio.NewReader(io.NewSectionReader(f, span.from, span.size))
	return &lz4Chunk{in: in, dec: thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(in)), left: span.size, at: span.from}
}

// ReadAt gives what follows what was read before; nothing else can be had.
func (c *lz4Chunk) ReadAt(b []byte, off int64) (n int, err error) {
	if off != c.at {
		return 0, errParquet
	}
	for n < len(b) && err == nil {
		if len(c.out) == 0 {
			if err = c.next(); err != nil {
				break
			}
		}
		k := copy(b[n:], c.out)
		n, c.at, c.out = n+k, c.at+int64(k), c.out[k:]
	}
	return n, err
}

// next unpacks a page.
func (c *lz4Chunk) next() error {
	var h format.PageHeader
	if err := c.dec.Decode(&h); err != nil {
		return err // io.EOF after the last page
	}
	packed, whole := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
	// LZ4 makes at most 255 bytes of one, so a damaged size asks for no memory.
	if packed < 0 || whole < 0 || packed > c.left || whole > 256*packed+64 {
		return errParquet
	}
	c.left -= packed
	src := make([]byte, packed)
	if _, err := io.ReadFull(c.in, src); err != nil {
		return errors.Join(errParquet, err)
	}
	if h.CRC != 0 && uint32(h.CRC) != crc32.ChecksumIEEE(src) {
		return parquet.ErrCorrupted
	}
	levels := int64(0) // of pages of the second kind, which stand unpacked before the rest
	if h.DataPageHeaderV2.Valid {
		v2 := &h.DataPageHeaderV2.V
		levels = int64(v2.RepetitionLevelsByteLength) + int64(v2.DefinitionLevelsByteLength)
		if levels < 0 || levels > packed || levels > whole {
			return errParquet
		}
		if v2.IsCompressed.Valid && !v2.IsCompressed.V {
			levels = packed
		}
		v2.IsCompressed.V, v2.IsCompressed.Valid = false, true
	}
	if levels == packed {
		whole = packed
	}
	h.CompressedPageSize, h.UncompressedPageSize, h.CRC = int32(whole), int32(whole), 0
	head, err := thrift.Marshal(new(thrift.CompactProtocol), &h)
	if err != nil {
		return err
	}
	c.buf = append(append(c.buf[:0], head...), src[:levels]...)
	c.buf = append(c.buf, make([]byte, whole-levels)...)
	if n, err := lz4.UncompressBlock(src[levels:], c.buf[len(c.buf)-int(whole-levels):]); err != nil || int64(n) != whole-levels {
		return errParquet
	}
	c.out = c.buf
	return nil
}
