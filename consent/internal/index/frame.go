package index

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// A snapshot is a stream of 64-bit words cut into frames of at most 1 MiB. A frame is
//
//	id of the stream (16 bytes), frame number<<1 | last (8), words, CRC32C of the stream up to here (4)
//
// sealed by the caller and preceded by its sealed length. Number, end and id are inside the seal: a frame that was
// cut, swapped, repeated, left out or taken from another snapshot is found out, as is a stream without its last frame.
const (
	frameSize  = 1 << 20
	framePlace = 16 + 8 // where the words of a frame begin
	sealSpace  = 1 << 12
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errSnapshot = errors.New("the snapshot of the decision index is damaged")

// A Seal encrypts a frame of a snapshot, or opens one again. It must not keep the slice; what it returns may share
// its memory. Opening something that was not sealed by its counterpart must be an error.
type Seal func(frame []byte) ([]byte, error)

type frameWriter struct {
	w      io.Writer
	seal   Seal
	buf    []byte
	number uint64
	crc    uint32
	err    error
}

func newFrameWriter(w io.Writer, seal Seal) *frameWriter {
	f := &frameWriter{w: w, seal: seal, buf: make([]byte, framePlace, frameSize)}
	rand.Read(f.buf[:16]) // never fails
	return f
}

func (f *frameWriter) put(words ...uint64) {
	for _, v := range words {
		if len(f.buf)+8+4 > frameSize {
			f.flush(0)
		}
		f.buf = binary.LittleEndian.AppendUint64(f.buf, v)
	}
}

// flush writes the frame; last is 1 for the last one and 0 for all others.
func (f *frameWriter) flush(last uint64) {
	binary.LittleEndian.PutUint64(f.buf[16:], f.number<<1|last)
	f.crc = crc32.Update(f.crc, castagnoli, f.buf)
	sealed, err := f.seal(binary.LittleEndian.AppendUint32(f.buf, f.crc))
	if f.err == nil {
		f.err = err
	}
	f.write(binary.LittleEndian.AppendUint32(nil, uint32(len(sealed))))
	f.write(sealed)
	f.number++
	f.buf = f.buf[:framePlace]
}

func (f *frameWriter) write(b []byte) {
	if f.err == nil {
		_, f.err = f.w.Write(b)
	}
}

type frameReader struct {
	r      io.Reader
	open   Seal
	sealed []byte
	words  []byte // of the open frame, those not taken yet
	id     [16]byte
	number uint64
	last   bool
	crc    uint32
	err    error
}

// take is the next word. After an error there are only zeros; err tells.
func (f *frameReader) take() uint64 {
	for len(f.words) == 0 && f.err == nil {
		f.err = f.next()
	}
	if f.err != nil {
		return 0
	}
	v := binary.LittleEndian.Uint64(f.words)
	f.words = f.words[8:]
	return v
}

// end is nil if everything was read and nothing follows.
func (f *frameReader) end() error {
	if f.err == nil && (len(f.words) > 0 || !f.last) {
		return fmt.Errorf("%w: words are left over", errSnapshot)
	}
	if f.err == nil {
		if n, err := f.r.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: something follows its end", errSnapshot)
		}
	}
	return f.err
}

func (f *frameReader) next() error {
	if f.last {
		return fmt.Errorf("%w: it ends early", errSnapshot)
	}
	frame, err := f.openNext()
	if err != nil {
		return err
	}
	if len(frame) < framePlace+4 || (len(frame)-framePlace-4)%8 != 0 {
		return fmt.Errorf("%w: frame %d has %d bytes", errSnapshot, f.number, len(frame))
	}
	body, place := frame[:len(frame)-4], binary.LittleEndian.Uint64(frame[16:])
	f.crc = crc32.Update(f.crc, castagnoli, body)
	if f.number == 0 {
		copy(f.id[:], frame)
	}
	if [16]byte(frame) != f.id || place>>1 != f.number || binary.LittleEndian.Uint32(frame[len(body):]) != f.crc {
		return fmt.Errorf("%w: frame %d is not the one that belongs there", errSnapshot, f.number)
	}
	f.words, f.last = body[framePlace:], place&1 == 1
	f.number++
	return nil
}

func (f *frameReader) openNext() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(f.r, size[:]); err != nil {
		return nil, fmt.Errorf("%w: frame %d: %w", errSnapshot, f.number, err)
	}
	n := int(binary.LittleEndian.Uint32(size[:]))
	if n > frameSize+sealSpace {
		return nil, fmt.Errorf("%w: frame %d claims %d bytes", errSnapshot, f.number, n)
	}
	f.sealed = slices.Grow(f.sealed[:0], n)[:n]
	if _, err := io.ReadFull(f.r, f.sealed); err != nil {
		return nil, fmt.Errorf("%w: frame %d: %w", errSnapshot, f.number, err)
	}
	frame, err := f.open(f.sealed)
	if err != nil {
		return nil, fmt.Errorf("%w: opening frame %d: %w", errSnapshot, f.number, err)
	}
	return frame, nil
}
