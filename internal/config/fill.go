package config

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// filler puts a TOML tree into a Config and notes everything that does not
// fit. The library's own decoder stops at the first mistake and gives unknown
// keys without their line.
type filler struct {
	lines    map[string]int
	renames  map[string]string // see renames
	problems []Problem
	renamed  []Problem // keys that were understood by their old name
}

// renames are the keys that had another name once: the old one, in full, and the
// new one in the same table. A key in a list has no index here:
// "http.tokens.hash". Whoever renames a key adds it, and it stays for ever.
func renames() map[string]string {
	return map[string]string{}
}

// withoutIndex takes the indices out of a key: "http.tokens[0].hash".
func withoutIndex(key string) string { return regexp.MustCompile(`\[\d+\]`).ReplaceAllString(key, "") }

func (f *filler) fill(tree map[string]any, c *Config) {
	f.table("", tree, reflect.ValueOf(c).Elem())
}

func (f *filler) problem(key, format string, args ...any) {
	f.problems = append(f.problems, Problem{Line: f.lines[key], Key: key, What: fmt.Sprintf(format, args...)})
}

func (f *filler) table(path string, tree map[string]any, into reflect.Value) {
	fields := map[string]reflect.Value{}
	for i := range into.NumField() {
		if name := into.Type().Field(i).Tag.Get("toml"); name != "-" {
			fields[name] = into.Field(i)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		full := strings.TrimPrefix(path+"."+key, ".")
		field, known := fields[key]
		if now, old := f.renames[withoutIndex(full)]; old {
			if _, both := tree[now]; both {
				f.problem(full, "is called %s now, which is set as well; keep that one", now)
				continue
			}
			f.renamed = append(f.renamed, Problem{f.lines[full], full, "is called " + now + " now; it is understood, but rename it"})
			field, known = fields[now]
		}
		if !known {
			f.problem(full, "unknown key%s", suggestion(key, slices.Sorted(maps.Keys(fields))))
			continue
		}
		f.value(full, tree[key], field)
	}
}

func (f *filler) value(key string, v any, into reflect.Value) {
	if into.Type() == reflect.TypeFor[time.Duration]() {
		f.duration(key, v, into)
		return
	}
	switch into.Kind() {
	case reflect.String:
		if s, ok := v.(string); ok {
			into.SetString(s)
			return
		}
	case reflect.Bool:
		if b, ok := v.(bool); ok {
			into.SetBool(b)
			return
		}
	case reflect.Int:
		if n, ok := v.(int64); ok && n >= 0 && n <= math.MaxInt32 {
			into.SetInt(n)
			return
		}
	case reflect.Struct:
		if t, ok := v.(map[string]any); ok {
			f.table(key, t, into)
			return
		}
	case reflect.Map: // of texts
		if t, ok := v.(map[string]any); ok {
			f.texts(key, t, into)
			return
		}
	case reflect.Slice:
		if items, ok := list(v); ok {
			f.list(key, items, into)
			return
		}
	}
	f.problem(key, "want %s, have %s", kindName(into.Type()), describe(v))
}

func (f *filler) duration(key string, v any, into reflect.Value) {
	s, ok := v.(string)
	if !ok {
		f.problem(key, "want a duration such as \"10s\", have %s", describe(v))
		return
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		f.problem(key, "want a duration above zero such as \"10s\" or \"1h30m\", have %q", s)
		return
	}
	into.SetInt(int64(d))
}

func (f *filler) texts(key string, tree map[string]any, into reflect.Value) {
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		text, ok := tree[name].(string)
		if !ok {
			f.problem(key+"."+name, "want a text in quotes, have %s", describe(tree[name]))
			continue
		}
		out[name] = text
	}
	into.Set(reflect.ValueOf(out))
}

func (f *filler) list(key string, items []any, into reflect.Value) {
	out := reflect.MakeSlice(into.Type(), len(items), len(items))
	for i, item := range items {
		f.value(fmt.Sprintf("%s[%d]", key, i), item, out.Index(i))
	}
	into.Set(out)
}

// list: an array of tables comes as []map[string]any, any other as []any.
func list(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case []map[string]any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = v[i]
		}
		return items, true
	}
	return nil, false
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text in quotes"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	return "a table"
}

// describe says what a value is without saying the value: it may be a secret.
func describe(v any) string {
	switch v.(type) {
	case string:
		return "a text"
	case int64, float64:
		return "a number"
	case bool:
		return "true or false"
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "something else"
}

// suggestion is the known key that was probably meant.
func suggestion(key string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if d := distance(key, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return "; known here: " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// lineIndex finds the line of each key, for messages: "http.tokens[0].name" → 12.
// It reads the text the simple way; a key in an inline table has the line of
// the table, and a strange layout costs only the line number.
func lineIndex(text string) map[string]int {
	lines := map[string]int{}
	counts := map[string]int{}
	section := ""
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "[["):
			name := strings.TrimSpace(strings.Trim(strings.SplitN(line, "]]", 2)[0], "["))
			section = fmt.Sprintf("%s[%d]", name, counts[name])
			counts[name]++
			lines[section] = n + 1
		case strings.HasPrefix(line, "["):
			section = strings.TrimSpace(strings.Trim(strings.SplitN(line, "]", 2)[0], "["))
			lines[section] = n + 1
		case strings.HasPrefix(line, "#"):
		default:
			if key, _, ok := strings.Cut(line, "="); ok {
				full := strings.TrimPrefix(section+"."+strings.Trim(strings.TrimSpace(key), `"'`), ".")
				lines[full] = n + 1
			}
		}
	}
	return lines
}
