//go:build go1.25

package labrpc

import (
	"errors"
	"fmt"
	"log"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"6.824/labgob"
)

// Server is a set of services with one network address. Any number of goroutines may use it. MakeServer makes one.
type Server struct {
	count     atomic.Int64
	handlers  atomic.Pointer[map[string]*handler] // by "Service.Method"; the map is replaced, never changed
	elsewhere atomic.Pointer[Fdispatch]           // nil unless SetDispatch was called

	mu       sync.Mutex
	services map[string]*Service
}

// MakeServer returns a server without services. AddService adds them, and Network.AddServer connects it to a network.
func MakeServer() *Server {
	rs := &Server{services: map[string]*Service{}}
	rs.handlers.Store(&map[string]*handler{})
	return rs
}

// AddService makes svc's handlers available. It replaces a service with the same name. One server may have several services,
// such as a Raft server and the key/value service that uses it.
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

// GetCount returns how many requests have reached the server. A request counts from the moment before its handler
// runs; lost requests do not count. Where an int has 32 bits, the count stops at the largest int.
func (rs *Server) GetCount() int { return saturate(rs.count.Load()) }

// saturate returns n, or the largest int if that is less.
func saturate(n int64) int { return int(min(n, math.MaxInt)) }

// dispatch counts c's request, runs its handler and returns the encoded reply, or gob's error if it cannot be encoded.
// Without argsType, the request is a whole gob stream, and so is the reply. Otherwise it panics if argsType is not the type
// of the handler's first parameter.
func (rs *Server) dispatch(c *call) (labgob.Message, error) {
	rs.count.Add(1)
	if f := rs.elsewhere.Load(); f != nil && c.argsType == nil {
		return dispatchElsewhere(*f, c)
	}
	h := rs.handler(c.svcMeth)
	if h == nil {
		rs.fatalUnknown(c.svcMeth)
	}
	if c.argsType == nil {
		return h.handleStream(c)
	}
	if c.argsType != h.argsType {
		h.checkArgs(c.svcMeth, c.argsType)
	}
	return h.handle(c)
}

// handler returns the handler svcMeth, or nil if there is none.
func (rs *Server) handler(svcMeth string) *handler { return (*rs.handlers.Load())[svcMeth] }

// fatalUnknown ends the process because the server has no handler svcMeth.
func (rs *Server) fatalUnknown(svcMeth string) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	services := slices.Sorted(maps.Keys(rs.services))
	dot := strings.LastIndex(svcMeth, ".")
	if dot < 0 {
		log.Fatalf("labrpc.Server.dispatch(): no dot in %q; expecting Service.Method with one of the services %v\n", svcMeth, services)
	}
	svcName, methName := svcMeth[:dot], svcMeth[dot+1:]
	svc := rs.services[svcName]
	if svc == nil {
		log.Fatalf("labrpc.Server.dispatch(): unknown service %v in %v.%v; expecting one of %v\n", svcName, svcName, methName, services)
	}
	hint := ""
	if method := svc.rcvr.MethodByName(methName); method.IsValid() {
		hint = fmt.Sprintf("; %v is a %v, which is no handler: see MakeService", svcMeth, method.Type())
	}
	log.Fatalf("labrpc.Service.dispatch(): unknown method %v in %v; expecting one of %v%v\n",
		methName, svcMeth, slices.Sorted(maps.Keys(svc.handlers)), hint)
}

// isPrompt reports whether the server has a handler svcMeth and its service is prompt.
func (rs *Server) isPrompt(svcMeth string) bool {
	h := rs.handler(svcMeth)
	return h != nil && h.prompt && rs.elsewhere.Load() == nil
}

// Service is the set of handlers of one object. MakeService makes one.
type Service struct {
	name     string
	rcvr     reflect.Value
	handlers map[string]*handler // by method name
}

// MakeService returns a service with the handlers of rcvr: its exported methods that have two parameters, the second of
// them a pointer, and no results. The first parameter is the request; the handler writes the reply to the second. Other
// methods are ignored. The name of the service is the name of rcvr's type, or of the type that rcvr points to.
// Handlers are called concurrently. A handler that panics ends the process. MakeService panics if rcvr is nil.
//
// By default each handler runs in another goroutine than Call, so that Call can return while the handler waits. A struct
// can declare its handlers prompt, which means that they never wait, except for a lock that is held briefly. It does so
// with a blank field:
//
//	type Raft struct {
//		_ struct{} `labrpc:"prompt"`
//		...
//	}
//
// On a reliable network, Call runs prompt handlers in its own goroutine. This saves two goroutine switches, about half the
// time of a small call. If the end is disabled or the server deleted while the handler runs, Call returns
// false, but only after the handler has returned. A struct that embeds a prompt struct needs the field too, since its
// other handlers may wait. The course's labrpc ignores the field.
func MakeService(rcvr interface{}) *Service {
	value := reflect.ValueOf(rcvr)
	base := reflect.Indirect(value).Type()
	svc, prompt := &Service{base.Name(), value, map[string]*handler{}}, declaresPrompt(base)
	for i := range value.NumMethod() {
		method := value.Type().Method(i)
		if sig := method.Type; sig.NumIn() == 3 && sig.In(2).Kind() == reflect.Pointer && sig.NumOut() == 0 {
			svc.handlers[method.Name] = &handler{value, method.Func, sig.In(1), sig.In(2).Elem(), prompt}
		}
	}
	return svc
}

// declaresPrompt reports whether t is a struct with the blank field that makes its handlers prompt; see MakeService.
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
	method    reflect.Value // a function of rcvr, args and reply
	argsType  reflect.Type  // of the parameter args
	replyType reflect.Type  // the type that the reply parameter points to
	prompt    bool          // the service is prompt; see MakeService
}

// checkArgs panics if args of type argsType cannot be passed to the method.
func (h *handler) checkArgs(svcMeth string, argsType reflect.Type) {
	if !argsType.AssignableTo(h.argsType) {
		panic(fmt.Sprintf("reflect: Call using %v as type %v: the args of %v", argsType, h.argsType, svcMeth))
	}
}

// handle decodes c's request into a new variable of type argsType, calls the method and encodes its reply. If the request
// cannot be decoded, the method gets the part that could be; if the reply cannot be encoded, the client reports it.
func (h *handler) handle(c *call) (labgob.Message, error) {
	args := newArgs(c.argsType)
	c.request.UnmarshalLast(args.Interface())
	reply, err := h.run(c, c.argsType, args)
	if err != nil {
		return labgob.Message{}, err
	}
	return labgob.MarshalValue(reply)
}

// run calls the method for c and returns a pointer to its reply, or errNilPointer if gob could not send that. argsType is
// the type of the arguments, and args points to them.
func (h *handler) run(c *call, argsType reflect.Type, args reflect.Value) (reply reflect.Value, err error) {
	if argsType.Kind() != reflect.Pointer {
		args = args.Elem()
	}
	reply = reflect.New(h.replyType)
	if o := c.observer(); o != nil {
		o.Handling(c.info(), args.Interface())
	}
	h.method.Call([]reflect.Value{h.rcvr, args, reply})
	if o := c.observer(); o != nil {
		o.Handled(c.info(), reply.Interface())
	}
	if h.replyType.Kind() == reflect.Pointer && reply.Elem().IsNil() {
		return reply, errNilPointer // gob would write a message that nothing can decode
	}
	return reply, nil
}

var errNilPointer = errors.New("gob cannot send a nil pointer")

// newArgs returns a pointer to a new variable of type argsType or, if that is a pointer type, of the type it points to.
func newArgs(argsType reflect.Type) reflect.Value {
	if argsType.Kind() == reflect.Pointer {
		argsType = argsType.Elem()
	}
	return reflect.New(argsType)
}
