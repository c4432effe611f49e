package kv

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"6.824/engine"
)

// adminTimeout bounds what an operator waits for. A new server must have caught up by then; if not, the operator asks again.
const adminTimeout = time.Minute

func (s *Server) serveStatus(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.Encode(s.node.Status())
}

func (s *Server) serveAdmin(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	action := r.PathValue("action")
	name := "id"
	if action == "transfer" {
		name = "to"
	}
	id, err := strconv.Atoi(query.Get(name))
	if err != nil || id < 1 {
		fail(w, http.StatusBadRequest, "The number of a server is missing: %s=ID.", name)
		return
	}
	if _, leads := s.node.GetState(); !leads {
		s.redirect(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), adminTimeout)
	defer cancel()
	switch action {
	case "transfer":
		err = s.node.TransferLeadership(ctx, id)
	case "add":
		err = s.node.AddServer(ctx, id, query.Get("address"))
	case "remove":
		err = s.node.RemoveServer(ctx, id)
	default:
		fail(w, http.StatusNotFound, "There is no action %q.", action)
		return
	}
	switch {
	case errors.Is(err, engine.ErrNotLeader):
		s.redirect(w, r)
	case err != nil:
		fail(w, http.StatusConflict, "Not done: %v.", err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}
