package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// include applies every regular file of a directory in ascending order of the names,
// editor's backups too, as stunnel does. Links to files count as files.
func (p *loader) include(dir string) *Error {
	const reason = "Failed to include directory"
	if dir == "" { // which filepath would take for the working directory
		return refuse(reason, "write the path of a directory")
	}
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return refuse(reason, fmt.Sprintf("%v: write the path of a directory that exists", unwrapPath(err)))
	}
	if abs, err := filepath.Abs(resolved); err == nil {
		resolved = abs
	}
	if slices.Contains(p.dirs, resolved) {
		return refuse(reason, "the directory is being included already: one of its files includes it again")
	}
	if len(p.dirs) == MaxIncludeDepth {
		return refuse(reason, fmt.Sprintf("directories include each other more than %d deep", MaxIncludeDepth))
	}
	entries, err := os.ReadDir(resolved)
	if err != nil {
		return refuse(reason, fmt.Sprintf("%v: write the path of a directory that can be read", unwrapPath(err)))
	}
	p.cfg.Includes = append(p.cfg.Includes, resolved)
	p.dirs = append(p.dirs, resolved)
	defer func() { p.dirs = p.dirs[:len(p.dirs)-1] }()
	for _, entry := range entries { // sorted by name
		if e := p.includeFile(filepath.Join(dir, entry.Name())); e != nil {
			return e
		}
	}
	return nil
}

// includeFile applies one entry of a directory if it is a regular file.
func (p *loader) includeFile(path string) *Error {
	// Looked at before it is opened: opening a FIFO would wait for a writer.
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	if p.files == MaxFiles {
		return refuse("Too many included files", fmt.Sprintf("a configuration has at most %d files", MaxFiles))
	}
	f, err := os.Open(path)
	if err != nil {
		return refuse("Failed to include file", fmt.Sprintf("%q: %v", path, unwrapPath(err)))
	}
	defer f.Close()
	p.read(path, f)
	return nil
}
