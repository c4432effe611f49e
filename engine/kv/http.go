package kv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"6.824/engine"
)

// Headers with which a client makes an operation happen once, however often it repeats the request: its identity, a random
// number, and the number of the operation, from 1 on. A client has one operation under way at a time.
const (
	ClientHeader  = "Kv-Client"
	RequestHeader = "Kv-Request"
)

// Handler returns the HTTP interface:
//
//	GET    /kv/KEY                   the value
//	PUT    /kv/KEY                   stores the body
//	POST   /kv/KEY?op=append         appends the body
//	POST   /kv/KEY?op=cas&old=VALUE  stores the body if the key has that value
//	POST   /kv/KEY?op=cas&absent=1   stores the body if there is no such key
//	DELETE /kv/KEY                   removes the key
//	GET    /status                   the engine's Status, as JSON
//	GET    /healthz                  200 if the server can serve reads
//	POST   /admin/transfer?to=ID, /admin/add?id=ID&address=HOST:PORT, /admin/remove?id=ID
//
// A server that does not lead redirects what the leader must do (307), if it knows where the leader is.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /kv/{key...}", s.serveGet)
	mux.HandleFunc("PUT /kv/{key...}", s.serveWrite)
	mux.HandleFunc("POST /kv/{key...}", s.serveWrite)
	mux.HandleFunc("DELETE /kv/{key...}", s.serveWrite)
	mux.HandleFunc("GET /status", s.serveStatus)
	mux.HandleFunc("GET /healthz", s.serveHealth)
	mux.HandleFunc("POST /admin/{action}", s.serveAdmin)
	return http.NewCrossOriginProtection().Handler(mux) // no web page may use a browser beside this server to change anything
}

// fail answers with a status code and a sentence.
func fail(w http.ResponseWriter, code int, format string, args ...any) {
	http.Error(w, fmt.Sprintf(format, args...), code)
}

// keyOf returns the key of a request, or answers it.
func keyOf(w http.ResponseWriter, r *http.Request) (string, bool) {
	key := r.PathValue("key")
	if key == "" || len(key) > MaxKey {
		fail(w, http.StatusBadRequest, "A key has 1 to %d bytes; this one has %d.", MaxKey, len(key))
		return "", false
	}
	return key, true
}

func (s *Server) serveGet(w http.ResponseWriter, r *http.Request) {
	key, ok := keyOf(w, r)
	if !ok {
		return
	}
	value, ok, err := s.get(r.Context(), key)
	switch {
	case err != nil:
		fail(w, http.StatusServiceUnavailable, "There is no answer: %v.", err)
	case !ok:
		fail(w, http.StatusNotFound, "There is no key %q.", key)
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.Itoa(len(value)))
		io.WriteString(w, value)
	}
}

func (s *Server) serveWrite(w http.ResponseWriter, r *http.Request) {
	o := op{}
	var ok bool
	if o.key, ok = keyOf(w, r); !ok {
		return
	}
	if err := o.fill(r); err != nil {
		fail(w, http.StatusBadRequest, "This request makes no sense: %v.", err)
		return
	}
	if _, leads := s.node.GetState(); !leads {
		s.redirect(w, r)
		return
	}
	body, err := readBody(w, r)
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		fail(w, http.StatusRequestEntityTooLarge, "A value has at most %d bytes.", MaxValue)
		return
	} else if err != nil {
		return // the client is gone
	}
	o.value = string(body)
	result, err := s.submit(r.Context(), o)
	s.answerWrite(w, r, o, result, err)
}

// readBody reads the body of a request. It takes memory as the bytes come, beyond a few kilobytes.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(bytes.MinRead + int(min(max(r.ContentLength, 0), 16<<10))) // ReadFrom wants MinRead bytes to spare
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, MaxValue))
	return b.Bytes(), err
}

// fill takes the operation from a request, except for key and body.
func (o *op) fill(r *http.Request) error {
	query := r.URL.Query()
	switch name := query.Get("op"); {
	case r.Method == http.MethodPut && name == "":
		o.kind = put
	case r.Method == http.MethodDelete && name == "":
		o.kind = remove
	case r.Method == http.MethodPost && name == "append":
		o.kind = appendTo
	case r.Method == http.MethodPost && name == "cas":
		o.kind, o.old, o.absent = cas, query.Get("old"), query.Get("absent") == "1"
		if query.Has("old") == o.absent {
			return errors.New("op=cas needs old=VALUE or absent=1")
		}
	default:
		return fmt.Errorf("there is no operation %q with the method %s", name, r.Method)
	}
	client, request := r.Header.Get(ClientHeader), r.Header.Get(RequestHeader)
	if client == "" && request == "" {
		return nil
	}
	var err1, err2 error
	o.client, err1 = strconv.ParseUint(client, 10, 64)
	o.request, err2 = strconv.ParseUint(request, 10, 64)
	if err1 != nil || err2 != nil || o.client == 0 || o.request == 0 {
		return fmt.Errorf("%s and %s must both be numbers from 1 on", ClientHeader, RequestHeader)
	}
	return nil
}

func (s *Server) answerWrite(w http.ResponseWriter, r *http.Request, o op, result Result, err error) {
	switch {
	case errors.Is(err, engine.ErrNotLeader):
		s.redirect(w, r)
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "Not now: %v.", err)
	case err != nil:
		fail(w, http.StatusGatewayTimeout, "Sorry: %v.", err)
	case result == NoKey:
		fail(w, http.StatusNotFound, "There is no key %q.", o.key)
	case result == Mismatch:
		fail(w, http.StatusPreconditionFailed, "The key %q does not have that value.", o.key)
	case result == TooLarge:
		fail(w, http.StatusRequestEntityTooLarge, "The value of %q would have more than %d bytes.", o.key, MaxValue)
	case result == OutOfSequence:
		fail(w, http.StatusConflict, "Client %d has had a later request than %d carried out.", o.client, o.request)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// redirect sends the client to the leader.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request) {
	url := s.leaderURL()
	if url == "" || url == s.url {
		w.Header().Set("Retry-After", "1")
		fail(w, http.StatusServiceUnavailable, "There is no leader, or it has not yet said where it is.")
		return
	}
	w.Header().Set("Location", strings.TrimSuffix(url, "/")+r.URL.RequestURI())
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// serveHealth answers whether this server can serve reads.
func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), s.timeout)
	defer cancel()
	if _, err := s.node.ReadIndex(ctx); err != nil {
		fail(w, http.StatusServiceUnavailable, "Not healthy: %v.", err)
		return
	}
	io.WriteString(w, "ok\n")
}
