"""The root of the repository is the namespace ``payamak``.

The folder ``ghasedak`` installs as ``payamak.ghasedak``, ``common`` as ``payamak.common``, and so on. This file is
never shipped: ``payamak`` is a PEP 420 namespace package. It is here so that static tools resolve ``from ..common
import …`` across the folders.
"""
