package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// screen writes lines with the time since the beginning.
type screen struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
}

func newScreen(out io.Writer) *screen { return &screen{out: out, began: time.Now()} }

// say writes one line. It may be called from any goroutine.
func (s *screen) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "[%6.1f s] %s\n", time.Since(s.began).Seconds(), line)
}

func (s *screen) sayf(format string, args ...any) { s.say(fmt.Sprintf(format, args...)) }

// title begins a chapter.
func (s *screen) title(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "\n== %s\n", fmt.Sprintf(format, args...))
}
