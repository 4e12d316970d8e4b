"""How static files are stored."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Also rewrites the imports of JavaScript modules to hashed names.

    Without that, a browser would keep an old module beside a new one that imports it.
    """

    support_js_module_import_aggregation = True
