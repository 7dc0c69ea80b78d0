package dynamo

// EndpointOf is where a client is primed, for tests of the package.
var EndpointOf = endpointOf
