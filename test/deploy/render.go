// Renders a chart's templates as helm template would, as far as this chart goes:
// values, named templates, include, tpl, required, toYaml, .Files.Get and sprig's
// functions.  A stand-in for where there is no helm: no subcharts, hooks, lookup.
//
//	render CHART [VALUES.yaml...]
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"gopkg.in/yaml.v3"
)

type files struct{ dir string }

func (f files) Get(name string) string {
	content, err := os.ReadFile(filepath.Join(f.dir, name))
	must(err)
	return string(content)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(path string) map[string]interface{} {
	content, err := os.ReadFile(path)
	must(err)
	values := map[string]interface{}{}
	must(yaml.Unmarshal(content, &values))
	return values
}

// What is in "over" wins, key by key.
func merge(under, over map[string]interface{}) map[string]interface{} {
	for key, value := range over {
		below, isMap := under[key].(map[string]interface{})
		if above, both := value.(map[string]interface{}); isMap && both {
			under[key] = merge(below, above)
		} else {
			under[key] = value
		}
	}
	return under
}

func main() {
	dir := os.Args[1]
	values := read(filepath.Join(dir, "values.yaml"))
	for _, path := range os.Args[2:] {
		values = merge(values, read(path))
	}
	chart := map[string]interface{}{}
	for key, value := range read(filepath.Join(dir, "Chart.yaml")) {
		chart[strings.ToUpper(key[:1])+key[1:]] = value
	}
	data := map[string]interface{}{
		"Values": values, "Chart": chart, "Files": files{dir},
		"Release": map[string]interface{}{"Name": "test", "Namespace": "default", "Service": "Helm"},
	}
	all := template.New("chart").Option("missingkey=zero")
	functions := sprig.TxtFuncMap()
	functions["include"] = func(name string, data interface{}) (string, error) {
		var out strings.Builder
		err := all.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	functions["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	functions["toYaml"] = func(value interface{}) (string, error) {
		out, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(out), "\n"), err
	}
	all.Funcs(functions)
	paths, err := filepath.Glob(filepath.Join(dir, "templates", "*"))
	must(err)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		must(err)
		_, err = all.New(filepath.Base(path)).Parse(string(content))
		must(err)
	}
	for _, path := range paths {
		if filepath.Ext(path) == ".yaml" {
			fmt.Printf("---\n# Source: %s\n", filepath.Base(path))
			must(all.ExecuteTemplate(os.Stdout, filepath.Base(path), data))
		}
	}
}
