"""The HTTP API and the page. `server.run` starts both; `app.create` makes the ASGI application."""
