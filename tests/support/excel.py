"""Excel files of a sheet, as small as they can be."""

from __future__ import annotations

import io
import zipfile

SHEET = "xl/worksheets/sheet1.xml"
_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def xlsx(rows: str, shared: str | None = None, name: str = SHEET, head: str = "") -> bytes:
    """A file with these rows and shared texts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        content = f'{head}<worksheet xmlns="{_NAMESPACE}"><sheetData>{rows}</sheetData></worksheet>'
        archive.writestr(name, content)
        if shared is not None:
            archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{_NAMESPACE}">{shared}</sst>')
    return file.getvalue()
