//go:build go1.25

package picture

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Write writes the page of what has been recorded. It may be called while events are being added.
func (r *Recorder) Write(w io.Writer) error {
	u := r.run()
	packed, err := u.data().pack()
	if err != nil {
		return err
	}
	page, err := template()
	if err != nil {
		return err
	}
	before, rest, _ := strings.Cut(page, "{{title}}")
	between, after, _ := strings.Cut(rest, "{{data}}")
	b := bufio.NewWriter(w)
	for _, part := range []string{before, html.EscapeString(u.title), between, packed, after} {
		if _, err := b.WriteString(part); err != nil {
			return err
		}
	}
	return b.Flush()
}

// template returns page.html with the style and the scripts, which are joined in the order of their names.
func template() (string, error) {
	page, err := files.ReadFile("page/page.html")
	if err != nil {
		return "", err
	}
	text := string(page)
	for mark, pattern := range map[string]string{"{{style}}": "page/*.css", "{{script}}": "page/*.js"} {
		names, err := fs.Glob(files, pattern)
		if err != nil {
			return "", err
		}
		var all strings.Builder
		for _, name := range names {
			part, err := files.ReadFile(name)
			if err != nil {
				return "", err
			}
			all.Write(part)
		}
		text = strings.Replace(text, mark, all.String(), 1)
	}
	return text, nil
}

// WriteFile writes the page to a file, which it creates or replaces. A file that could not be written whole is not left
// behind.
func (r *Recorder) WriteFile(name string) (err error) {
	file, err := os.CreateTemp(filepath.Dir(name), ".picture-*")
	if err != nil {
		return fmt.Errorf("picture: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
			err = fmt.Errorf("picture: %w", err)
		}
	}()
	err = r.Write(file)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(file.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(file.Name(), name)
}
