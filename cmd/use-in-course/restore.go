package main

import (
	"fmt"
	"io"
	"os"
)

// A restored says what restore found out.
type restored struct {
	moved []string // files that are back
	aside []string // files that the installation does not know in this form, and where they are now
	lost  []string // files whose backup is missing
}

// restore undoes an installation, also one that was interrupted, and can itself be interrupted at any step and called again.
// A file that is not as the installation left it is moved to changedDir.
func (d *disk) restore(m *manifest) (*restored, error) {
	r := &restored{}
	installed := map[string]string{}
	for _, e := range m.Installed {
		installed[e.Path] = e.Hash
	}
	for _, e := range m.Moved {
		if err := d.putBack(e, installed[e.Path], r); err != nil {
			return r, err
		}
		delete(installed, e.Path)
	}
	for _, e := range m.Installed {
		if _, left := installed[e.Path]; !left || !d.has(e.Path) {
			continue
		}
		same, err := d.isSame(e.Path, e.Hash)
		switch {
		case err != nil:
		case same:
			err = d.remove(e.Path)
		default:
			err = d.moveAside(e.Path, r)
		}
		if err != nil {
			return r, err
		}
	}
	return r, d.removeState(r)
}

// putBack moves e back into the tree. installed is the hash of the file that the installation put in its place, or nothing.
func (d *disk) putBack(e entry, installed string, r *restored) error {
	there := d.has(e.Path)
	if !d.has(d.backup(e.Path)) {
		// The file never made way, or it is back already, or somebody has removed the backup.
		hash := installed
		if there {
			var err error
			if hash, err = hashFile(d.path(e.Path)); err != nil {
				return err
			}
		}
		if !there || hash == installed && hash != e.Hash {
			r.lost = append(r.lost, e.Path)
		}
		return nil
	}
	if there {
		same, err := d.isSame(e.Path, installed)
		if err != nil {
			return err
		}
		if !same {
			if err := d.moveAside(e.Path, r); err != nil {
				return err
			}
		}
	}
	r.moved = append(r.moved, e.Path)
	return d.replace(d.backup(e.Path), e.Path)
}

func (d *disk) isSame(name, hash string) (bool, error) {
	have, err := hashFile(d.path(name))
	return have == hash, err
}

// moveAside moves a changed file to changedDir.
func (d *disk) moveAside(name string, r *restored) error {
	to := d.free(changedDir + "/" + name)
	r.aside = append(r.aside, name+" is now "+to)
	return d.rename(name, to)
}

// removeState ends an undo: it removes the manifest and the empty directories. It moves files that the manifest does not
// name from the backup to changedDir.
func (d *disk) removeState(r *restored) error {
	if err := d.removeStaging(); err != nil {
		return err
	}
	for _, name := range filesBelow(d.path(stateDir + "/" + backupName)) {
		to := d.free(changedDir + "/" + name)
		r.aside = append(r.aside, d.backup(name)+" is now "+to)
		if err := d.rename(d.backup(name), to); err != nil {
			return err
		}
	}
	if err := d.removeEmpty(stateDir + "/" + backupName); err != nil {
		return err
	}
	if err := d.remove(stateDir + "/" + manifestName); err != nil {
		return err
	}
	return d.removeStateDir()
}

// removeStateDir removes stateDir unless somebody else has put a file into it.
func (d *disk) removeStateDir() error {
	below, err := os.ReadDir(d.path(stateDir))
	if err != nil || len(below) > 0 {
		return err
	}
	return d.remove(stateDir)
}

// removeEmpty removes a directory that has no files, if it is there.
func (d *disk) removeEmpty(name string) error {
	if !d.has(name) {
		return nil
	}
	below, err := os.ReadDir(d.path(name))
	if err != nil {
		return err
	}
	for _, dir := range below {
		if err := d.removeEmpty(name + "/" + dir.Name()); err != nil {
			return err
		}
	}
	return d.remove(name)
}

// print says what the user must know.
func (r *restored) print(w io.Writer) {
	printList(w, "moved back", r.moved, false)
	for _, text := range r.aside {
		fmt.Fprintf(w, "changed after the installation: %s\n", text)
	}
	for _, name := range r.lost {
		fmt.Fprintf(w, "LOST: %s is not in %s/%s any more\n", name, stateDir, backupName)
	}
}
