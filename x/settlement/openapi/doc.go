// Package openapi has the OpenAPI (Swagger 2.0) document of the module's REST endpoints,
// made from the .proto files by make proto, and serves it:
//
//	s.Router.Handle(openapi.Path, openapi.Handler()) // in the app's RegisterAPIRoutes
package openapi
