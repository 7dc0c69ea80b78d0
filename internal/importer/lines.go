package importer

import (
	"bytes"
	"errors"
	"io"
)

// maxRecord is how many bytes one record may have. A usage record has some
// hundred; the content of a message, which an export may carry along, some
// thousand.
const maxRecord = 1 << 20

// errTooLong: no line ends within maxRecord bytes of the window's start.
var errTooLong = errors.New("longer than a record may be")

// lines is a window that slides over a stream, from the start of one line on to
// as many following lines as fit in maxRecord bytes. That lets a reader look
// ahead over several lines and then go on behind the first of them.
type lines struct {
	src        io.Reader
	buf        []byte
	start, end int   // the window is buf[start:end]
	err        error // what src ended with
	number     int   // of the line at start, from 1
}

func newLines(src io.Reader) *lines {
	return &lines{src: src, buf: make([]byte, 64<<10), number: 1}
}

// window holds at least what lineEnd has found. Its bytes stay as they are until
// the next lineEnd or skipLine.
func (l *lines) window() []byte { return l.buf[l.start:l.end] }

// lineEnd finds the end, newline included, of the line that begins at offset
// from in the window, and reads on where it must. The last line may lack its
// newline. The error is errTooLong, io.EOF where no line begins, or what the
// stream failed with; a line that the failure cut short is not told as one.
func (l *lines) lineEnd(from int) (int, error) {
	searched := from
	for {
		w := l.window()
		if i := bytes.IndexByte(w[searched:], '\n'); i >= 0 {
			if end := searched + i + 1; end <= maxRecord {
				return end, nil
			}
			return 0, errTooLong
		}
		searched = len(w)
		switch {
		case len(w) > maxRecord:
			return 0, errTooLong
		case l.err == nil:
			l.fill()
		case l.err == io.EOF && len(w) > from:
			return len(w), nil
		default:
			return 0, l.err
		}
	}
}

// advance moves the window's start behind n of its bytes.
func (l *lines) advance(n int) {
	l.number += bytes.Count(l.buf[l.start:l.start+n], []byte{'\n'})
	l.start += n
}

// skipLine moves the window's start behind the next newline, however far it is,
// or to where the stream ends or fails; lineEnd then tells that.
func (l *lines) skipLine() {
	for {
		if i := bytes.IndexByte(l.window(), '\n'); i >= 0 {
			l.advance(i + 1)
			return
		}
		l.start, l.end = 0, 0
		if l.err != nil {
			return
		}
		l.fill()
	}
}

// fill reads once, after making room: by moving the window to the buffer's start
// or, where it fills the buffer, by doubling that.
func (l *lines) fill() {
	if l.end == len(l.buf) {
		to := l.buf
		if l.start == 0 {
			to = make([]byte, 2*len(l.buf))
		}
		l.end = copy(to, l.window())
		l.start, l.buf = 0, to
	}
	for range 100 {
		n, err := l.src.Read(l.buf[l.end:])
		l.end += n
		l.err = err
		if n > 0 || err != nil {
			return
		}
	}
	l.err = io.ErrNoProgress
}
