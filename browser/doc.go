// Package browser tests the pages of package picture in a real browser. It needs Chromium or Chrome: as chromium,
// chromium-browser, google-chrome or chrome on the path, or named by the environment variable CHROME.
package browser
