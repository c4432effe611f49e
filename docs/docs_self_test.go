package docs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// expect fails unless there is one complaint that contains want, or none if want is empty.
func expect(t *testing.T, complaints []string, want string) {
	t.Helper()
	if want == "" && len(complaints) > 0 || want != "" && (len(complaints) != 1 || !strings.Contains(complaints[0], want)) {
		t.Errorf("complaints are %q, want one with %q", complaints, want)
	}
}

// repository writes files into a directory of the test's own and returns it.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCheckLength(t *testing.T) {
	expect(t, checkLength(strings.Repeat("line\n", mostLines)), "")
	expect(t, checkLength(strings.Repeat("line\n", mostLines+1)), "151 lines")
}

func TestCheckLinks(t *testing.T) {
	dir := repository(t, map[string]string{"docs/b.md": "# Title\n## How it's *done*, twice\n## Again\n## Again\n"})
	for text, want := range map[string]string{
		"[b](b.md), [b](../docs), [b](https://example.com/b.md#x)": "",
		"[b](b.md#how-its-done-twice) [b](b.md#again-1)":           "",
		"# Here\n[h](#here)":     "",
		"`[code](c.md)`":         "",
		"```\n[code](c.md)\n```": "",
		"[c](c.md)":              "c.md, which is not there",
		"![picture](c.svg)":      "c.svg, which is not there",
		"[b](b.md#how)":          "no such heading",
		"[b](b.md#again-2)":      "no such heading",
		"# Here\n[h](#there)":    "no such heading",
		"```\n# not a heading\n```\n[h](#not-a-heading)": "no such heading",
	} {
		expect(t, checkLinks(dir, "docs/a.md", text), want)
	}
}

func TestCheckTargets(t *testing.T) {
	names := targets("A := 1\n.PHONY: demo x\ndemo: ## a demo\n\tgo run .\ntest lint: demo\n")
	if want := []string{"demo", "test", "lint"}; !slices.Equal(names, want) {
		t.Errorf("targets are %q, want %q", names, want)
	}
	for text, want := range map[string]string{
		"`make demo` and `make SEED=1 lint`": "",
		"it may make sense":                  "",
		"`make many`":                        "make many",
		"`make A='b c' many`":                "make many",
		"```\n$ cd x && make many\n```":      "make many",
		"    make\n```\nmake many N=1\n```":  "make many",
	} {
		expect(t, checkTargets(names, text), want)
	}
}

func TestCheckCommands(t *testing.T) {
	dir := repository(t, map[string]string{
		"run.sh":      "",
		"p/p.go":      "package p\ntype T struct{}\nfunc (*T) M() {}\nconst C = 1\n",
		"p/p_test.go": "package p\nfunc TestOne() {}\nfunc Example_two() {}\nfunc helper() {}\n",
	})
	for command, want := range map[string]string{
		"./run.sh 1 2":                 "",
		"./gone.sh":                    "there is no ./gone.sh",
		"go run ./p -x":                "",
		"go run ./q":                   "there is no ./q",
		"go run -C p . -C /path/to/x":  "",
		"go run -C q .":                "there is no q",
		"go test ./...":                "",
		"go test -v -run 'One$' ./p":   "",
		"go test -run Example_two ./p": "",
		"go test -run Three ./p":       "no test matches Three",
		"go test -run helper ./p":      "no test matches helper",
		"go doc ./p T":                 "",
		"go doc ./p T.M":               "",
		"go doc ./p C":                 "",
		"go doc ./p TestOne":           "the package has no TestOne",
		"go vet ./p ./q":               "there is no ./q",
	} {
		expect(t, checkCommands(dir, "# T\n`"+command+"`\n"), want)
		expect(t, checkCommands(dir, "# T\n```console\n$ "+command+"  # why\noutput\n```\n"), want)
	}
}

func TestCheckExample(t *testing.T) {
	page := "```go\ntype a int\n\nfunc f() {\n}\n```\n"
	expect(t, checkExample(page, "package p\ntype a int\n\nfunc f() {\n}\n\nfunc g()"), "")
	expect(t, checkExample("text", "package p"), "no Go block")
	expect(t, checkExample(page, "package p\ntype b int\n"), "no line type a int")
	expect(t, checkExample(page, "package p\ntype a int\n\nfunc f() {\n\treturn\n}\n"), "differently at: }")
	expect(t, checkExample(page, "package p\ntype a int\n\nfunc f() {"), "differently at: }")
}

func TestCheckList(t *testing.T) {
	page := "# A\n`make demo` or `./run.sh`\n# B\n```\n$ ./run.sh /path/to/x\n$ ./run.sh 1\n```\n# C\n```\n$ cp a b\n$ go test .\n```\n"
	expect(t, checkList(page, "run make demo\nrun ./run.sh 1\n"), "")
	expect(t, checkList(page, "run make demo\n"), "./run.sh 1 is not in")
	expect(t, checkList(page, "run make demo\nrun ./run.sh 1\nrun ./run.sh 2\n"), "but not on the page")
}

func TestCheckTranslation(t *testing.T) {
	page := "# A\n## B\n`make demo`\n```console\n$ go build  # why\nok\n```\n## C\ntext\n"
	for translation, want := range map[string]string{
		"# 甲\n## 乙\n`make demo`\n```console\n$ go build  # 注\nok\n```\n## 丙\n":     "",
		"# 甲\n## 乙\n`make demo`\n```console\n$ go build\nok\n```\n":                "2 headings, and README.md has 3",
		"# 甲\n## 乙\n`make demo`\n```console\n$ go build\nok\n```\n### 丙\n":         "level 3",
		"# 甲\n## 乙\n`make test`\n```console\n$ go build\nok\n```\n## 丙\n":          "make test",
		"# 甲\n## 乙\n`make demo`\n```console\n$ go build\nfailed\n```\n## 丙\n":      "the code below",
		"# 甲\n## 乙\n`make demo`\n```sh\n$ go build\nok\n```\n## 丙\n":               "the code below",
		"# 甲\n## 乙\n`make demo` `go vet`\n```console\n$ go build\nok\n```\n## 丙\n": "go vet",
	} {
		expect(t, checkTranslation(page, translation), want)
	}
	expect(t, checkTranslation("# A\n| 1,000 | 2.5 ms |\n", "# 甲\n| 2.5 毫秒 | 1,000 |\n"), "")
	expect(t, checkTranslation("# A\n| 1,000 | 2.5 ms |\n", "# 甲\n| 1,000 | 2.6 毫秒 |\n"), "figures")
	swapped := "# 甲\n## 丙\n## 乙\n`make demo`\n```console\n$ go build\nok\n```\n"
	if len(checkTranslation(page, swapped)) == 0 {
		t.Error("no complaint about the order of headings")
	}
}

func TestCheckPromise(t *testing.T) {
	expect(t, checkPromise("# T\n\nAfter this page you can do it.\n"), "")
	expect(t, checkPromise("# T\n\nThis page is about it.\n\nAfter this page you can do it.\n"), "does not begin with")
	expect(t, checkPromise("# T\n\n## S\n\nAfter this page you can do it.\n"), "does not begin with")
	expect(t, checkPromise("After this page you can do it.\n"), "title")
}
