package page

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// forwarded are headers by which proxies say that they ask for somebody else, as all do
// that begin as forwardedPrefix.
var forwarded = []string{"Forwarded", "Via", "X-Real-Ip"}

const forwardedPrefix = "X-Forwarded-"

// Local lets only people of this machine see a page, though it listens on no other address
// anyway: a foreign site can have a name that points to this machine (DNS rebinding), or be
// let in by the API server (enabled-unsafe-cors), and a proxy can pass on what strangers ask.
// A proxy that says nothing of itself, and speaks as browsers do, it takes for a browser.
func Local(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := foreign(r); why != "" {
			http.Error(w, why+`; this page is for this machine: an SSH tunnel reaches it, or page = "on" in section [mpc] of app.toml shows it to all`, http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// foreign says what shows that somebody asks who is not on this machine; empty: nothing.
func foreign(r *http.Request) string {
	for _, name := range forwarded {
		if len(r.Header.Values(name)) > 0 {
			return "a proxy asks (" + name + ")"
		}
	}
	for name := range r.Header {
		if strings.HasPrefix(name, forwardedPrefix) {
			return "a proxy asks (" + name + ")"
		}
	}
	if !r.ProtoAtLeast(1, 1) { // no browser does; nginx does, and sends no header of its own
		return "a proxy asks (" + r.Proto + ")"
	}
	if !loopback(r.Host) {
		return "the address in the browser is neither localhost nor a loopback IP"
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return ""
	}
	if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
		return "another site asks"
	}
	return ""
}

// loopback: a host, with or without a port, is this machine by whatever resolver.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
