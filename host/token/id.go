package token

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
)

// IsID tells whether a value has one of the forms that the pkcs11 engine took before
// there were URIs: id_45, label_x, slot_1, slot_1-id_45, slot_1-label_x, 1:45.
func IsID(s string) bool {
	for _, prefix := range []string{"id_", "label_", "slot_"} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	slot, id, ok := strings.Cut(s, ":")
	return ok && slot != "" && strings.Trim(slot, "0123456789") == "" && id != "" && strings.Trim(id, "0123456789abcdefABCDEF:") == ""
}

// ParseID reads such a form. Slots are numbered as the module numbers them.
func ParseID(s string) (URI, error) {
	var u URI
	if !IsID(s) {
		return u, errors.New("an object in a token is named by id_HEX, label_TEXT, slot_N, slot_N-id_HEX, slot_N-label_TEXT, or a " + Scheme + " URI")
	}
	rest := s
	if after, ok := strings.CutPrefix(s, "slot_"); ok {
		number, object, more := strings.Cut(after, "-")
		if err := u.setSlot(number); err != nil {
			return URI{}, err
		}
		if !more {
			return u, nil
		}
		rest = object
	} else if number, id, ok := strings.Cut(s, ":"); ok && strings.Trim(number, "0123456789") == "" {
		if err := u.setSlot(number); err != nil {
			return URI{}, err
		}
		rest = "id_" + id
	}
	if label, ok := strings.CutPrefix(rest, "label_"); ok {
		if label == "" {
			return URI{}, errors.New("the label is empty")
		}
		u.Object = label
		return u, nil
	}
	digits, ok := strings.CutPrefix(rest, "id_")
	if !ok {
		return URI{}, errors.New("after slot_N- comes id_HEX or label_TEXT")
	}
	id, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if err != nil || len(id) == 0 {
		return URI{}, errors.New("an id is pairs of hexadecimal digits, as pkcs11-tool shows it")
	}
	u.ID = id
	return u, nil
}

func (u *URI) setSlot(number string) error {
	n, err := strconv.ParseUint(number, 10, strconv.IntSize)
	if err != nil {
		return errors.New("the slot is not a number")
	}
	u.Slot, u.HasSlot = uint(n), true
	return nil
}
