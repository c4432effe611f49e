package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"6.824/cmd/cli"
)

// target describes a built test binary.
type target struct {
	Wasm       string               // file
	ImportPath string               // of the package under test
	Root       string               // the directory that the guest sees: of the package's module, or of the package if it has none
	Subdir     string               // of the package in Root, with slashes
	RootName   string               // the guest's name for Root
	Packages   []string             // import paths of all packages in the binary outside the standard library
	Signatures map[string]signature // of functions, for -trace
	Watched    bool                 // only the network records the run, not the tests
	NotWatched string               // why nothing records it, or ""
	Replaced   bool                 // with this repository's labrpc in place of the tests' own
	files      []string             // the Go files of these packages, except for those in the module cache
	name       string               // of the package under test
	labrpc     *listedPackage       // or nil
}

// build compiles the tests of the package that opts name.
func build(ctx context.Context, opts *options, scratch string) (*target, error) {
	dir, pkg, err := locate(opts)
	if err != nil {
		return nil, err
	}
	g := &goCommand{ctx: ctx, scratch: scratch, dir: dir, pkg: pkg}
	if err := g.addFlags(opts); err != nil {
		return nil, err
	}
	t, err := g.describe()
	if err != nil {
		return nil, err
	}
	if w, err := g.watched(t, opts); w != nil || err != nil {
		return w, err
	}
	return t, g.compile(t, opts)
}

// compile compiles the tests that t describes.
func (g *goCommand) compile(t *target, opts *options) error {
	loops, err := overlayLoops(t.files, g.overlay, g.scratch)
	if err != nil {
		return err
	}
	t.Wasm = filepath.Join(g.scratch, "test.wasm")
	// With -trimpath, stack traces do not depend on the directory of the sources.
	if msg, err := g.run(true, "test", "-c", "-vet=off", "-trimpath", "-overlay="+loops, "-o", t.Wasm, g.pkg); err != nil {
		return g.explainBuild(msg)
	}
	if _, err := os.Stat(t.Wasm); err != nil {
		return fmt.Errorf("%s has no tests: there is no _test.go file for GOOS=wasip1 in %s", t.ImportPath, g.pkgDir(t))
	}
	if opts.trace != "" {
		t.Signatures, err = g.signatures(loops)
	}
	return err
}

// goCommand runs the go tool on one package.
type goCommand struct {
	ctx      context.Context
	scratch  string // for temporary files
	dir, pkg string
	flags    []string // for each command that reads the package
	env      []string // of each command
	overlay  string   // file among these flags, or ""
}

// locate returns the directory to run the go tool in, and the package's name there. If opts.pkg is a directory, the go tool
// runs in it, since it may belong to another module than the current directory.
func locate(opts *options) (dir, pkg string, err error) {
	if strings.Contains(opts.pkg, "...") {
		return "", "", fmt.Errorf("%s: one package at a time", opts.pkg)
	}
	dir = filepath.Join(opts.dir, opts.pkg)
	if filepath.IsAbs(opts.pkg) {
		dir = opts.pkg
	}
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir, ".", nil
	}
	if strings.HasPrefix(opts.pkg, ".") || filepath.IsAbs(opts.pkg) {
		return "", "", fmt.Errorf("there is no directory %s", dir)
	}
	if info, err := os.Stat(opts.dir); opts.dir != "" && (err != nil || !info.IsDir()) {
		return "", "", fmt.Errorf("-C: there is no directory %s", opts.dir)
	}
	return opts.dir, opts.pkg, nil
}

// run runs a subcommand of the go tool that reads the package. It returns the standard output, or, with an error, the message.
func (g *goCommand) run(wasm bool, subcommand string, args ...string) (string, error) {
	return g.output(wasm, slices.Concat([]string{subcommand}, g.flags, args)...)
}

// output is run for any command line of the go tool.
func (g *goCommand) output(wasm bool, args ...string) (string, error) {
	cmd := cli.Exec(g.ctx, g.scratch, "go", args...)
	cmd.Dir = g.dir
	cmd.Env = append(cmd.Env, g.env...)
	if wasm {
		cmd.Env = append(cmd.Env, "GOOS=wasip1", "GOARCH=wasm", "GOWASM=", "CGO_ENABLED=0")
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if stderr.Len() == 0 {
			return err.Error(), err
		}
		return stderr.String(), err
	}
	return stdout.String(), nil
}

// describe asks the go tool for the package and for the packages that its tests import.
func (g *goCommand) describe() (*target, error) {
	out, err := g.run(true, "list", "-f", "{{with .Module}}{{.Dir}}{{end}}\n{{.ImportPath}}\n{{.Dir}}\n{{.Name}}", g.pkg)
	if err != nil {
		return nil, g.explainBuild(out)
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 4 {
		return nil, fmt.Errorf("%s is not one package: replay runs the tests of one at a time", g.pkg)
	}
	t := &target{Root: lines[0], ImportPath: lines[1], name: lines[3]}
	if t.Root == "" {
		t.Root = lines[2]
	}
	rel, err := filepath.Rel(t.Root, lines[2])
	if err != nil {
		return nil, err
	}
	t.Subdir = filepath.ToSlash(rel)
	t.RootName = "/" + strings.TrimSuffix(strings.TrimSuffix(t.ImportPath, t.Subdir), "/") // as in stack traces
	return t, g.addDeps(t)
}

// listedPackage is a package of a test binary, as the go tool lists it.
type listedPackage struct {
	ImportPath, Dir string
	Standard        bool // of the standard library
	GoFiles         []string
	Export          string // file of export data
}

// name returns the import path: "p [p.test]" is p, compiled for the test.
func (p *listedPackage) name() string {
	name, _, _ := strings.Cut(p.ImportPath, " ")
	return name
}

// isMain reports whether the go tool has written the package: the main package of the test binary.
func (p *listedPackage) isMain() bool { return strings.HasSuffix(p.ImportPath, ".test") }

func (p *listedPackage) paths() []string {
	var paths []string
	for _, f := range p.GoFiles {
		paths = append(paths, filepath.Join(p.Dir, f))
	}
	return paths
}

// deps lists the packages of the test binary, each after those that it imports.
func (g *goCommand) deps(flags ...string) ([]listedPackage, error) {
	args := append(flags, "-deps", "-test", "-json=ImportPath,Standard,Dir,GoFiles,Export", g.pkg)
	out, err := g.run(true, "list", args...)
	if err != nil {
		return nil, g.explainBuild(out)
	}
	var pkgs []listedPackage
	dec := json.NewDecoder(strings.NewReader(out))
	for dec.More() {
		var p listedPackage
		if err := dec.Decode(&p); err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
	return pkgs, nil
}

// addDeps adds the packages of the test binary to t. The files are those that an overlay may replace.
func (g *goCommand) addDeps(t *target) error {
	cache, err := g.output(false, "env", "GOMODCACHE")
	if err != nil {
		return g.explainBuild(cache)
	}
	pkgs, err := g.deps()
	for _, p := range pkgs {
		if p.Standard || p.isMain() {
			continue
		}
		t.Packages = append(t.Packages, p.name())
		if path.Base(p.name()) == "labrpc" {
			t.labrpc = &p
		}
		if isRecorder(p.name()) {
			continue // its loops are not counted
		}
		if !strings.HasPrefix(p.Dir, strings.TrimSpace(cache)+string(filepath.Separator)) { // the go tool would refuse
			t.files = append(t.files, p.paths()...)
		}
	}
	t.Packages, t.files = sorted(t.Packages), sorted(t.files)
	return err
}

// signatures returns the signatures of the functions in the test binary that was built with an overlay.
func (g *goCommand) signatures(overlayFile string) (map[string]signature, error) {
	pkgs, err := g.deps("-export", "-trimpath", "-overlay="+overlayFile)
	if err != nil {
		return nil, err
	}
	o := replacements{map[string]string{}}
	if err := o.read(overlayFile); err != nil {
		return nil, err
	}
	return signatures(pkgs, o.Replace)
}

// sorted sorts s and removes duplicates.
func sorted(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

// workDir returns the guest's name for the package's directory, in which the tests run.
func (t *target) workDir() string { return path.Join(t.RootName, t.Subdir) }

// pkgDir returns the package's directory.
func (g *goCommand) pkgDir(t *target) string {
	return filepath.Join(t.Root, filepath.FromSlash(t.Subdir))
}
