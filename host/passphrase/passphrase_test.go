package passphrase

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// asker answers in turn, and counts.
func asker(answers ...string) (*Keeper, *[]string, *int) {
	var prompts []string
	wrong := 0
	return &Keeper{
		Ask: func(prompt string) ([]byte, error) {
			if len(prompts) == len(answers) {
				return nil, errors.New("asked too often")
			}
			prompts = append(prompts, prompt)
			return []byte(answers[len(prompts)-1]), nil
		},
		Wrong: func() { wrong++ },
	}, &prompts, &wrong
}

// opens is a file that one passphrase opens.
func opens(right string) func([]byte) error {
	return func(p []byte) error {
		if string(p) != right {
			return ErrWrong
		}
		return nil
	}
}

func TestKeeper(t *testing.T) {
	k, prompts, wrong := asker("bad", "worse", "one", "two")
	if err := k.Open("a.pem", opens("one")); err != nil {
		t.Fatal(err)
	}
	if err := k.Open("b.pem", opens("two")); err != nil {
		t.Fatal(err)
	}
	// A reload: nothing is asked again, in whatever order.
	for _, p := range []string{"one", "two"} {
		if err := k.Open("c.pem", opens(p)); err != nil {
			t.Fatal(err)
		}
	}
	const a = "Enter a.pem pass phrase:"
	if want := []string{a, a, a, "Enter b.pem pass phrase:"}; !slices.Equal(*prompts, want) {
		t.Errorf("asked %q, want %q", *prompts, want)
	}
	if *wrong != 2 {
		t.Errorf("told of %d wrong answers, want 2", *wrong)
	}
}

func TestThreeAttempts(t *testing.T) {
	k, prompts, wrong := asker("1", "2", "3", "right")
	if err := k.Open("a.pem", opens("right")); !errors.Is(err, ErrWrong) {
		t.Errorf("got %v", err)
	}
	if len(*prompts) != 3 || *wrong != 2 {
		t.Errorf("asked %d times, told of %d, want 3 and 2", len(*prompts), *wrong)
	}
}

func TestAnotherErrorEndsIt(t *testing.T) {
	damaged := errors.New("damaged")
	k, prompts, _ := asker("1", "2")
	if err := k.Open("a.pem", func([]byte) error { return damaged }); !errors.Is(err, damaged) || len(*prompts) != 1 {
		t.Errorf("got %v after %d questions", err, len(*prompts))
	}
}

func TestNobodyToAsk(t *testing.T) {
	for _, k := range []*Keeper{nil, {}} {
		if err := k.Open("a.pem", opens("x")); !errors.Is(err, ErrNoTerminal) {
			t.Errorf("got %v", err)
		}
	}
}

func TestReadLine(t *testing.T) {
	for _, c := range []struct{ text, want, rest, err string }{
		{"secret\nmore", "secret", "more", ""},
		{"\n", "", "", ""},
		{" blanks \t\n", " blanks \t", "", ""},
		{strings.Repeat("x", MaxLength) + "\n", strings.Repeat("x", MaxLength), "", ""},
		{strings.Repeat("x", MaxLength+1) + "\nmore", "", "more", "longer than"},
		{"half", "", "", "was not given"},
	} {
		r := strings.NewReader(c.text)
		got, err := readLine(r)
		rest := c.text[len(c.text)-r.Len():]
		if string(got) != c.want || rest != c.rest || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%.20q: %q, %v, rest %q", c.text, got, err, rest)
		}
	}
}
