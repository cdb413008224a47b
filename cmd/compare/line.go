package main

import "bytes"

// chomp is a line without its LF or CR LF.
func chomp(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// splitWord gives the part before the first blank, and the rest without blanks
// around it.
func splitWord(line []byte) (word, rest []byte) {
	i := bytes.IndexAny(line, " \t")
	if i < 0 {
		return line, nil
	}
	return line[:i], bytes.Trim(line[i:], " \t")
}

// hasControl says whether a line has a control character other than a tab: a lone
// CR could pass for a line end further on.
func hasControl(line []byte) bool {
	return bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// replyCode takes the code of an SMTP reply line (RFC 5321 section 4.2), and whether
// the line is the reply's last; an empty code for what is none.
func replyCode(line []byte) (code string, last bool) {
	if len(line) < 3 || hasControl(line) {
		return "", false
	}
	for i, b := range line[:3] {
		if low, high := "200"[i], "599"[i]; b < low || b > high {
			return "", false
		}
	}
	switch {
	case len(line) == 3 || line[3] == ' ':
		return string(line[:3]), true
	case line[3] == '-':
		return string(line[:3]), false
	}
	return "", false
}
