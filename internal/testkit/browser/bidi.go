package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/coder/websocket"
)

// connection speaks WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/) to a
// browser: commands and their answers, and events. It serves all tabs of the browser,
// and may be used by many goroutines at once.
type connection struct {
	socket *websocket.Conn

	mu      sync.Mutex
	lastID  int
	waiting map[int]chan<- message   // by the id of the command
	heard   map[string]func(message) // what gets the events of a tab, by its id
	ended   error                    // why nothing comes any more; nil while something may
	done    chan struct{}            // closed with it
}

// message is whatever a browser sends: an answer has an ID, an event has none.
type message struct {
	ID     *int
	Result json.RawMessage

	Error, Message string // of a command that failed: "unknown command", and more words

	Method string
	Params json.RawMessage
}

// commandError is a command's failure, as the browser tells it.
type commandError struct{ method, code, text string }

func (e *commandError) Error() string { return fmt.Sprintf("%s: %s: %s", e.method, e.code, e.text) }

// dial connects to a browser. Its socket is read until close.
func dial(ctx context.Context, url string) (*connection, error) {
	socket, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	socket.SetReadLimit(-1) // pictures are large
	c := &connection{
		socket: socket, done: make(chan struct{}),
		waiting: map[int]chan<- message{}, heard: map[string]func(message){},
	}
	go c.read()
	return c, nil
}

func (c *connection) close() {
	_ = c.socket.CloseNow() // of a browser that may be gone
	<-c.done
}

// read hands out what comes until the socket is closed.
func (c *connection) read() {
	defer close(c.done)
	for {
		_, text, err := c.socket.Read(context.Background())
		var m message
		if err == nil {
			err = json.Unmarshal(text, &m)
		}
		c.mu.Lock()
		if err != nil {
			c.ended = fmt.Errorf("the browser is gone: %w", err)
			c.mu.Unlock()
			return
		}
		if m.ID != nil {
			if answer, ok := c.waiting[*m.ID]; ok {
				delete(c.waiting, *m.ID)
				answer <- m // which has room for it
			}
			c.mu.Unlock()
			continue
		}
		var of struct {
			Context string
			Source  struct{ Context string }
		}
		_ = json.Unmarshal(m.Params, &of) // an event that is of no tab is nobody's
		hear := c.heard[of.Context+of.Source.Context]
		c.mu.Unlock()
		if hear != nil {
			hear(m)
		}
	}
}

// listen has hear called with each event of a tab; nil ends that. It must not block.
func (c *connection) listen(tab string, hear func(message)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if hear == nil {
		delete(c.heard, tab)
		return
	}
	c.heard[tab] = hear
}

// call sends a command and decodes its result into out, which may be nil.
func (c *connection) call(ctx context.Context, method string, params, out any) error {
	answer := make(chan message, 1)
	c.mu.Lock()
	c.lastID++
	id := c.lastID
	c.waiting[id] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waiting, id)
	}()
	text, err := json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	if err != nil {
		return err
	}
	// Not with ctx: a deadline within a frame would end the connection for all tabs.
	if err := c.socket.Write(context.WithoutCancel(ctx), websocket.MessageText, text); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case m := <-answer:
		if m.Error != "" {
			return &commandError{method, m.Error, m.Message}
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(m.Result, out)
	case <-c.done:
		return fmt.Errorf("%s: %w", method, c.ended)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}
