// Package restdoc checks that an OpenAPI document describes the REST endpoints of a service.
package restdoc
