//go:build go1.25

package picture

import "embed"

// files are the parts of the page. Package cmd/overlay puts another file with this variable into trees that cannot embed.
//
//go:embed page
var files embed.FS
