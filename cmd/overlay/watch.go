package overlay

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"6.824/cmd/coursetree"
)

// A Lab is a package whose tests make networks of a package labrpc.
type Lab struct {
	Dir, Name         string // of the package
	Labrpc, LabrpcDir string // import path and directory of labrpc
}

// Watch adds an overlay to replace, in which the Lab's tests record what happens on each network that they make. This
// repository's labrpc and labgob take the place of the Lab's, if it has others; replaced reports that.
func (lab Lab) Watch(scratch string, replace map[string]string) (replaced bool, err error) {
	root, err := coursetree.LibraryDir()
	if err != nil {
		return false, err
	}
	prefix := strings.TrimSuffix(lab.Labrpc, "labrpc")
	if strings.HasPrefix(prefix, "_") { // a directory outside of GOPATH, which imports have relative names for
		prefix = "../"
	}
	o := &Overlay{
		Tree: &coursetree.Tree{Dir: filepath.Dir(lab.LabrpcDir), Prefix: prefix, Own: prefix}, library: lab.LabrpcDir == filepath.Join(root, "labrpc"),
		scratch: scratch, root: root, replace: replace,
	}
	if !o.library {
		if err := o.addNetwork(Options{}); err != nil {
			return true, err
		}
		if err := o.addRecord(); err != nil {
			return true, err
		}
	}
	if err := o.addHook(); err != nil {
		return !o.library, err
	}
	install := fmt.Sprintf(installer, lab.Name, o.importPath("labrpc"), o.importPath("picture"), o.importPath("record"))
	return !o.library, o.putAt(filepath.Join(lab.Dir, "replay_watch_6824_test.go"), []byte(install))
}

// hook lets another package see each network, which package labrpc could not import.
const hook = `//go:build go1.25

package labrpc

// Made is called with each new network.
var Made = func(*Network) {}

// MakeNetwork returns a reliable network without ends and servers.
func MakeNetwork() *Network {
	rn := makeNetwork()
	Made(rn)
	return rn
}
`

// addHook calls the hook in MakeNetwork.
func (o *Overlay) addHook() error {
	const name, made = "labrpc/network.go", "\nfunc MakeNetwork() *Network {"
	text, err := os.ReadFile(filepath.Join(o.root, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	changed := strings.Replace(o.fromLibrary(coursetree.Parse(name, text)), made, "\nfunc makeNetwork() *Network {", 1)
	if !strings.Contains(string(text), made) {
		return fmt.Errorf("%s does not declare MakeNetwork as expected", name)
	}
	if err := o.put(name, []byte(changed)); err != nil {
		return err
	}
	return o.put("labrpc/made_6824.go", []byte(hook))
}

// installer is a file of the Lab's tests.
const installer = `//go:build go1.25

package %s

import (
	time6824 "time"

	labrpc6824 %q
	picture6824 %q
	record6824 %q
)

func init() {
	labrpc6824.Made = func(network *labrpc6824.Network) {
		begun := time6824.Now()
		network.Observe(record6824.Watch(picture6824.New(picture6824.Options{
			Now: func() time6824.Duration { return time6824.Since(begun) + 1 },
		})))
	}
}
`
