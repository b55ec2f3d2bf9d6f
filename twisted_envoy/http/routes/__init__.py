"""
Routes: from a `config.route.v3.RouteConfiguration` to the entry of one request.

`table.buildRouteTable` makes a RouteTable, once; `RouteTable.match` finds the RouteEntry. All that
an entry says was compiled when it was built: nothing here reads a config while requests run.

    table         the virtual host of a host, then its routes
    domains       an index of host names
    path_index    an index of paths: no look-up is linear in the number of routes
    virtual_host  reads VirtualHosts
    route         reads Routes
    entry         RouteEntry, what a request gets
"""
