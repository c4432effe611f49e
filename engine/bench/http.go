package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
	"time"
)

// An httpConn is a connection of one client. It speaks as much HTTP/1.1 as kvd's answers need, and takes little time for it, as
// the generated client of etcd does: what is measured are the servers.
type httpConn struct {
	net.Conn
	in *bufio.Reader
}

func dialHTTP(address string) (*httpConn, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &httpConn{conn, bufio.NewReaderSize(conn, 16<<10)}, nil
}

// request returns the bytes of a request.
func (c *httpConn) request(method, path string, body []byte) []byte {
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", method, path, c.RemoteAddr(), len(body))
	return append([]byte(head), body...)
}

// do sends a request, and reads an answer that must have a status code. It returns the length of the body.
func (c *httpConn) do(request []byte, code int, patience time.Duration) (length int, err error) {
	c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	var got int
	if _, after, ok := bytes.Cut(line, []byte(" ")); ok && len(after) > 3 {
		got, _ = strconv.Atoi(string(after[:3]))
	}
	if got != code {
		return 0, fmt.Errorf("the answer is %q", line)
	}
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
	_, err = c.in.Discard(length)
	return length, err
}
