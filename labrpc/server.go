//go:build go1.25

package labrpc

import (
	"log"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"6.824/labgob"
)

// Server is a set of services under one address. Its methods may be called by any number of
// goroutines at once.
type Server struct {
	count    atomic.Int64
	handlers atomic.Pointer[map[string]*handler] // by "Service.Method"; replaced, never changed

	mu       sync.Mutex
	services map[string]*Service
}

// MakeServer returns a server without services.
func MakeServer() *Server {
	rs := &Server{services: map[string]*Service{}}
	rs.handlers.Store(&map[string]*handler{})
	return rs
}

// AddService makes svc's handlers available, in place of an earlier service of the same name.
func (rs *Server) AddService(svc *Service) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.services[svc.name] = svc
	handlers := map[string]*handler{}
	for _, svc := range rs.services {
		for name, h := range svc.handlers {
			handlers[svc.name+"."+name] = h
		}
	}
	rs.handlers.Store(&handlers)
}

// GetCount returns how many requests have reached the server.
func (rs *Server) GetCount() int { return int(rs.count.Load()) }

// dispatch runs the handler and returns its reply, and gob's error if it cannot be encoded.
func (rs *Server) dispatch(svcMeth string, argsType reflect.Type, request labgob.Message) (labgob.Message, error) {
	rs.count.Add(1)
	h := (*rs.handlers.Load())[svcMeth]
	if h == nil {
		rs.explain(svcMeth)
	}
	return h.handle(argsType, request)
}

// explain ends the process because there is no handler of that name.
func (rs *Server) explain(svcMeth string) {
	dot := strings.LastIndex(svcMeth, ".")
	svcName, methName := svcMeth[:dot], svcMeth[dot+1:] // a name without a dot panics here
	rs.mu.Lock()
	defer rs.mu.Unlock()
	svc := rs.services[svcName]
	if svc == nil {
		log.Fatalf("labrpc.Server.dispatch(): unknown service %v in %v.%v; expecting one of %v\n",
			svcName, svcName, methName, slices.Sorted(maps.Keys(rs.services)))
	}
	log.Fatalf("labrpc.Service.dispatch(): unknown method %v in %v; expecting one of %v\n",
		methName, svcMeth, slices.Sorted(maps.Keys(svc.handlers)))
}

// isPrompt reports whether there is a handler of that name and its receiver is prompt.
func (rs *Server) isPrompt(svcMeth string) bool {
	h := (*rs.handlers.Load())[svcMeth]
	return h != nil && h.prompt
}

// Service is the handlers of one object.
type Service struct {
	name     string
	handlers map[string]*handler // by method name
}

// MakeService makes a service of rcvr's handlers: its exported methods that take two arguments, the
// second a pointer, and return nothing. The first argument is the request, the second receives the
// reply. The service has the name of rcvr's type, without the pointer if it is one.
//
// A struct declares that its handlers are prompt, that is, that they never wait except for a lock that is held briefly:
//
//	type Raft struct {
//		_ struct{} `labrpc:"prompt"`
//		...
//	}
//
// On a reliable network Call runs prompt handlers in its own goroutine. That saves two goroutine switches, which take
// longer than the rest of a small call. If the end is disabled or the server deleted while the handler runs, Call
// returns false only after the handler has returned. The field counts only in the receiver's own struct: a struct
// that embeds a prompt one is not prompt, since it may have handlers that wait. The course's labrpc ignores the field.
func MakeService(rcvr interface{}) *Service {
	value := reflect.ValueOf(rcvr)
	base := reflect.Indirect(value).Type()
	svc, prompt := &Service{base.Name(), map[string]*handler{}}, declaresPrompt(base)
	for i := range value.NumMethod() {
		method := value.Type().Method(i)
		if sig := method.Type; sig.NumIn() == 3 && sig.In(2).Kind() == reflect.Pointer && sig.NumOut() == 0 {
			svc.handlers[method.Name] = &handler{value, method.Func, sig.In(2).Elem(), prompt}
		}
	}
	return svc
}

// declaresPrompt reports whether t is a struct with the field that MakeService describes.
func declaresPrompt(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for i := range t.NumField() {
		if field := t.Field(i); field.Name == "_" && field.Tag.Get("labrpc") == "prompt" {
			return true
		}
	}
	return false
}

// handler is one method of a service.
type handler struct {
	rcvr      reflect.Value
	method    reflect.Value // a function that takes rcvr, args and reply
	replyType reflect.Type  // what the reply pointer points to
	prompt    bool          // rcvr is prompt
}

// handle decodes the request into new memory, so that client and server share none that can be written
// to, calls the method and encodes its reply. If the request cannot be decoded the method sees what could be. If the
// reply cannot be encoded the client, which may never get it, says so. The call panics if args has another type than the
// method takes.
func (h *handler) handle(argsType reflect.Type, request labgob.Message) (labgob.Message, error) {
	args := newArgs(argsType)
	request.UnmarshalLast(args.Interface())
	if argsType.Kind() != reflect.Pointer {
		args = args.Elem()
	}
	reply := reflect.New(h.replyType)
	h.method.Call([]reflect.Value{h.rcvr, args, reply})
	return labgob.MarshalValue(reply)
}

// newArgs returns a pointer to decode args into: for pointer args, what gob would put in their place.
func newArgs(argsType reflect.Type) reflect.Value {
	if argsType.Kind() == reflect.Pointer {
		argsType = argsType.Elem()
	}
	return reflect.New(argsType)
}
