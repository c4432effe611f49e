// Package docs checks that the repository's pages agree with the repository.
package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const root = ".."

func TestPages(t *testing.T) {
	readme := read(t, "README.md")
	for path, text := range pages(t) {
		complain(t, path, checkLinks(root, path, text))
		complain(t, path, checkTargets(targets(read(t, "Makefile")), text))
		if filepath.Dir(path) == "docs" {
			complain(t, path, checkPromise(text))
		}
	}
	complain(t, "README.md", checkLength(readme))
	complain(t, "README.md", checkCommands(root, readme))
	complain(t, "README.md", checkExample(readme, read(t, "raft/example_service_test.go")))
	complain(t, "docs/kvraft.md", checkExample(read(t, "docs/kvraft.md"), read(t, "kvraft/cluster/example_test.go")))
	complain(t, "README.md", checkList(readme, read(t, ".ci/readme")))
	complain(t, "README.zh.md", checkTranslation(readme, read(t, "README.zh.md")))
}

// TestNoRequirements checks what README.md promises: the library uses only Go's standard library.
func TestNoRequirements(t *testing.T) {
	out, err := exec.Command("go", "list", "-C", root, "-m", "all").Output()
	if got := string(out); err != nil || got != "6.824\n" {
		t.Errorf("the root module needs other modules: %s, error %v", got, err)
	}
}

func complain(t *testing.T, path string, complaints []string) {
	t.Helper()
	for _, c := range complaints {
		t.Errorf("%s: %s", path, c)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages returns every Markdown file of the repository by its path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".md") {
			relative, _ := filepath.Rel(root, path)
			found[relative] = read(t, relative)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A part is what stands between one heading and the next. The text before the first heading is a part of level 0.
type part struct {
	level    int
	title    string
	prose    []string // lines outside of code blocks
	blocks   []block
	commands []string // lines of code blocks that begin with "$ ", and commands that stand in the prose as `code`
}

type block struct {
	language string
	lines    []string
}

var (
	headingLine = regexp.MustCompile(`^(#{1,6}) +(.+?)\s*$`)
	codeSpan    = regexp.MustCompile("`([^`]+)`")
	program     = regexp.MustCompile(`^(make|go|cd) |^\./`)
)

// parse splits a page into its parts.
func parse(text string) []part {
	parts := []part{{}}
	var fenced *block
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		p := &parts[len(parts)-1]
		if language, fence := strings.CutPrefix(strings.TrimSpace(line), "```"); fence {
			if fenced == nil {
				p.blocks = append(p.blocks, block{language: language})
				fenced = &p.blocks[len(p.blocks)-1]
			} else {
				fenced = nil
			}
			continue
		}
		if fenced != nil {
			fenced.lines = append(fenced.lines, line)
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				command, _, _ = strings.Cut(command, "  #")
				p.commands = append(p.commands, strings.TrimSpace(command))
			}
			continue
		}
		if m := headingLine.FindStringSubmatch(line); m != nil {
			parts = append(parts, part{level: len(m[1]), title: m[2]})
			continue
		}
		p.prose = append(p.prose, line)
		for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
			if program.MatchString(m[1]) {
				p.commands = append(p.commands, m[1])
			}
		}
	}
	return parts
}

const mostLines = 150

func checkLength(text string) (complaints []string) {
	if n := strings.Count(text, "\n"); n > mostLines {
		complaints = append(complaints, fmt.Sprintf("it has %d lines, more than %d", n, mostLines))
	}
	return complaints
}

var (
	link   = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	scheme = regexp.MustCompile(`^[a-z]+:`)
)

// checkLinks looks for relative links and anchors that lead nowhere. The page's path is relative to dir.
func checkLinks(dir, path, text string) (complaints []string) {
	for _, p := range parse(text) {
		prose := codeSpan.ReplaceAllString(strings.Join(p.prose, "\n"), "")
		for _, m := range link.FindAllStringSubmatch(prose, -1) {
			if scheme.MatchString(m[1]) {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := text
			if file != "" {
				name := filepath.Join(dir, filepath.Dir(path), file)
				info, err := os.Stat(name)
				if err != nil {
					complaints = append(complaints, "a link to "+m[1]+", which is not there")
					continue
				}
				if info.IsDir() || anchor == "" {
					continue
				}
				read, _ := os.ReadFile(name)
				target = string(read)
			}
			if anchor != "" && !slices.Contains(anchors(target), anchor) {
				complaints = append(complaints, "a link to "+m[1]+": there is no such heading")
			}
		}
	}
	return complaints
}

// anchors returns the names that GitHub gives to the headings of a page.
func anchors(text string) (names []string) {
	seen := map[string]int{}
	for _, p := range parse(text) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, p.title)
		if n := seen[name]; n > 0 {
			names = append(names, fmt.Sprintf("%s-%d", name, n))
		} else {
			names = append(names, name)
		}
		seen[name]++
	}
	return names
}

var (
	rule       = regexp.MustCompile(`(?m)^([a-z][a-z0-9 -]*):(?:[^=]|$)`)
	makeTarget = regexp.MustCompile(`^make(?: +[A-Z]+=(?:'[^']*'|"[^"]*"|\S*))* +([a-z][a-z0-9-]*)`)
)

// targets returns the targets of a Makefile.
func targets(makefile string) (names []string) {
	for _, m := range rule.FindAllStringSubmatch(makefile, -1) {
		names = append(names, strings.Fields(m[1])...)
	}
	return names
}

// checkTargets looks for commands such as `make test`, in code only, whose target is not among names.
func checkTargets(names []string, text string) (complaints []string) {
	for _, p := range parse(text) {
		var code []string
		for _, b := range p.blocks {
			code = append(code, b.lines...)
		}
		for _, m := range codeSpan.FindAllStringSubmatch(strings.Join(p.prose, "\n"), -1) {
			code = append(code, m[1])
		}
		for _, line := range code {
			for command := range strings.SplitSeq(strings.TrimPrefix(strings.TrimSpace(line), "$ "), "&& ") {
				if m := makeTarget.FindStringSubmatch(command); m != nil && !slices.Contains(names, m[1]) {
					complaints = append(complaints, "make "+m[1]+": the Makefile has no such target")
				}
			}
		}
	}
	return complaints
}

// hasPlaceholder reports whether a reader must change the command before running it.
func hasPlaceholder(command string) bool {
	return strings.Contains(command, "/path/to/") || strings.Contains(command, "PID")
}

// checkCommands looks for commands whose files, packages, tests or identifiers are not in the repository at dir.
func checkCommands(dir, text string) (complaints []string) {
	for _, p := range parse(text) {
		for _, command := range p.commands {
			if c := checkCommand(dir, strings.Fields(command)); c != "" {
				complaints = append(complaints, command+": "+c)
			}
		}
	}
	return complaints
}

func checkCommand(dir string, words []string) string {
	if program, ok := strings.CutPrefix(words[0], "./data/"); ok { // make cluster builds it
		return missing(dir, "engine/cmd/"+program)
	}
	if strings.HasPrefix(words[0], "./") {
		return missing(dir, words[0])
	}
	if len(words) < 2 || words[0] != "go" {
		return ""
	}
	for i, word := range words {
		if (strings.HasPrefix(word, "./") || i > 0 && words[i-1] == "-C" && !hasPlaceholder(word)) && missing(dir, word) != "" {
			return missing(dir, word)
		}
	}
	last := words[len(words)-1]
	switch run := slices.Index(words, "-run"); {
	case words[1] == "test" && run > 0 && run+1 < len(words) && strings.HasPrefix(last, "./"):
		return noTest(filepath.Join(dir, last), strings.Trim(words[run+1], `'"`))
	case words[1] == "doc" && len(words) == 4:
		return noIdentifier(filepath.Join(dir, words[2]), last)
	}
	return ""
}

func missing(dir, name string) string {
	if _, err := os.Stat(filepath.Join(dir, strings.TrimSuffix(name, "..."))); err != nil {
		return "there is no " + name
	}
	return ""
}

func noTest(dir, pattern string) string {
	matches, err := regexp.Compile(pattern)
	if err != nil {
		return err.Error()
	}
	for name := range declared(dir, true) {
		if strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Example") || strings.HasPrefix(name, "Fuzz") {
			if matches.MatchString(name) {
				return ""
			}
		}
	}
	return "no test matches " + pattern
}

func noIdentifier(dir, name string) string {
	if !declared(dir, false)[name] {
		return "the package has no " + name
	}
	return ""
}

// declared returns what the Go files of a directory declare outside of functions: tests' files or the others. A method
// is there by its name and as Type.Method.
func declared(dir string, tests bool) map[string]bool {
	names := map[string]bool{}
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") != tests {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, d := range parsed.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[d.Name.Name] = true
				if d.Recv != nil {
					names[receiver(d.Recv.List[0].Type)+"."+d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						names[spec.Name.Name] = true
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							names[name.Name] = true
						}
					}
				}
			}
		}
	}
	return names
}

func receiver(e ast.Expr) string {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	name, _ := e.(*ast.Ident)
	return fmt.Sprint(name)
}

// checkExample looks for the page's only Go block in a source file, line by line. Empty lines may differ.
func checkExample(text, source string) (complaints []string) {
	var want []string
	for _, p := range parse(text) {
		for _, b := range p.blocks {
			if b.language == "go" {
				want = append(want, b.lines...)
			}
		}
	}
	if len(want) == 0 {
		return []string{"it has no Go block"}
	}
	have := strings.Split(source, "\n")
	at := slices.Index(have, want[0])
	if at < 0 {
		return []string{"the example has no line " + want[0]}
	}
	for i, line := range want {
		if at+i >= len(have) || have[at+i] != line {
			return []string{"the example goes on differently at: " + line}
		}
	}
	return nil
}

// checkList compares the page's commands without placeholders with the lines of a script that runs them.
func checkList(text, script string) (complaints []string) {
	var listed []string
	for line := range strings.Lines(script) {
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "run "); ok {
			listed = append(listed, strings.TrimSuffix(command, " &"))
		}
	}
	var named []string
	for _, p := range parse(text) {
		for _, command := range p.commands {
			if len(strings.Fields(command)) < 2 || hasPlaceholder(command) || inCourseTree(p) {
				continue
			}
			named = append(named, command)
			if !slices.Contains(listed, command) {
				complaints = append(complaints, command+" is not in .ci/readme")
			}
		}
	}
	for _, command := range listed {
		if !slices.Contains(named, command) {
			complaints = append(complaints, command+" is in .ci/readme, but not on the page")
		}
	}
	return complaints
}

// inCourseTree reports whether a part's commands are for another tree than this one: one of them names its place.
func inCourseTree(p part) bool {
	return slices.ContainsFunc(p.commands, func(c string) bool {
		return strings.HasPrefix(c, "cp ") || strings.HasPrefix(c, "go mod ")
	})
}

var number = regexp.MustCompile(`\d+(?:[.,]\d+)*`)

// figures returns the numbers in a part's tables, sorted.
func (p part) figures() (numbers []string) {
	for _, line := range p.prose {
		if strings.HasPrefix(line, "|") {
			numbers = append(numbers, number.FindAllString(line, -1)...)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// checkTranslation compares two pages: levels of the headings, and the commands, the code and the tables' figures below
// each.
func checkTranslation(text, translation string) (complaints []string) {
	original, other := parse(text), parse(translation)
	if len(original) != len(other) {
		return []string{fmt.Sprintf("%d headings, and README.md has %d", len(other)-1, len(original)-1)}
	}
	for i, p := range original {
		q := other[i]
		if p.level != q.level {
			complaints = append(complaints, fmt.Sprintf("heading %q has level %d, and %q has level %d", q.title, q.level, p.title, p.level))
		}
		if a, b := slices.Sorted(slices.Values(p.commands)), slices.Sorted(slices.Values(q.commands)); !slices.Equal(a, b) {
			complaints = append(complaints, fmt.Sprintf("the commands below %q are %q, and those below %q are %q", q.title, b, p.title, a))
		}
		if !slices.Equal(p.figures(), q.figures()) {
			complaints = append(complaints, fmt.Sprintf("the figures in the tables below %q are not those below %q", q.title, p.title))
		}
		if !slices.EqualFunc(p.blocks, q.blocks, sameBlock) {
			complaints = append(complaints, fmt.Sprintf("the code below %q is not that below %q", q.title, p.title))
		}
	}
	return complaints
}

// sameBlock compares code; comments may be translated.
func sameBlock(a, b block) bool {
	code := func(line string) string {
		for _, mark := range []string{" // ", "  # "} {
			line, _, _ = strings.Cut(line, mark)
		}
		return strings.TrimRight(line, " ")
	}
	return a.language == b.language &&
		slices.EqualFunc(a.lines, b.lines, func(x, y string) bool { return code(x) == code(y) })
}

const promise = "After this page you can"

// checkPromise looks for the paragraph behind a page's title that says what the page is good for.
func checkPromise(text string) (complaints []string) {
	parts := parse(text)
	if len(parts) < 2 || parts[1].level != 1 {
		return []string{"it does not begin with a title"}
	}
	if !strings.HasPrefix(strings.TrimSpace(strings.Join(parts[1].prose, "\n")), promise) {
		return []string{fmt.Sprintf("the paragraph behind its title does not begin with %q", promise)}
	}
	return nil
}
