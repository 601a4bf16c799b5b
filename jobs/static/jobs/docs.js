// The page /api/v1/docs: Swagger UI on the service's own OpenAPI document.
"use strict";

const docs = document.getElementById("docs");

SwaggerUIBundle({
  domNode: docs,
  url: docs.dataset.schema,
  deepLinking: true,
  validatorUrl: null,
});
