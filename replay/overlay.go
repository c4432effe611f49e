package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	harness "6.824/cmd/overlay"
)

// addFlags adds those flags of the command line that are for the go tool.
func (g *goCommand) addFlags(opts *options) error {
	if opts.tags != "" {
		g.flags = append(g.flags, "-tags="+opts.tags)
	}
	if opts.harness {
		h, err := harness.Make(opts.dir, g.scratch, harness.Options{})
		if err != nil {
			return err
		}
		g.dir, g.env, g.overlay = h.Dir, h.Env, h.File
		g.flags = append(g.flags, "-overlay="+g.overlay)
		return nil
	}
	if opts.overlay == "" {
		return nil
	}
	o := replacements{map[string]string{}}
	if err := o.read(opts.overlay); err != nil { // here, since the go tool runs in another directory
		return err
	}
	g.overlay = filepath.Join(g.scratch, "overlay.json")
	g.flags = append(g.flags, "-overlay="+g.overlay)
	return o.write(g.overlay)
}

// replacements are what the file of -overlay holds.
type replacements struct{ Replace map[string]string }

// write writes an overlay file.
func (o *replacements) write(name string) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o600)
}

// read reads an overlay file. Like the go tool, it takes relative names from the current directory.
func (o *replacements) read(name string) error {
	if name == "" {
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var relative replacements
	if err := json.Unmarshal(text, &relative); err != nil {
		return fmt.Errorf("-overlay %s: %w", name, err)
	}
	for from, to := range relative.Replace {
		if from, err = filepath.Abs(from); err != nil {
			return err
		}
		if to != "" { // "" stands for a file that does not exist
			if to, err = filepath.Abs(to); err != nil {
				return err
			}
		}
		o.Replace[from] = to
	}
	return nil
}
