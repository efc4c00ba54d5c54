"""The packet of XMP that goes into a picture (ISO 16684-1): what catalogues read, and the whole record beside it.

`dc:description` is the prompt as XML can hold it, `Iptc4xmpExt:DigitalSourceType` says that the picture was generated,
which shops ask for, `batchgen:record` is JSON in ASCII, from which everything comes back character by character.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

NAMESPACE: Final = "urn:batchgen:picture:1#"
_GENERATED: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_NAMESPACES: Final = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "batchgen": NAMESPACE,
}
_BEGIN: Final = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
)
_RDF_END: Final = "</rdf:RDF>"
_END: Final = f'{_RDF_END}\n</x:xmpmeta>\n<?xpacket end="w"?>'
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMED: Final = ("batch", "id", "model", "fingerprint", "task_id")
_LONG: Final = ("prompt", "references")


@dataclass(frozen=True, slots=True)
class Packets:
    """Packets that say these facts."""

    facts: Mapping[str, Any]

    @property
    def description(self) -> str:
        """The prompt as a text without controls."""
        return _NOT_XML.sub("\ufffd", self.facts["prompt"])

    def packet(self, old: bytes = b"", most: int | None = None) -> tuple[bytes, str]:
        """A packet, in place of an old one whose words it keeps; and what had to be left out of it, in words.

        `most` are the bytes that it may have.

        Raises:
            ValueError: it cannot be had, with a sentence that says why.
        """
        for left_out in ((), _LONG):
            found = self._merged(old, left_out).encode("utf-8")
            if most is None or len(found) <= most:
                return found, "a prompt is too long to be written into such a file" if left_out else ""
        raise ValueError("there is no room for what would be written into the picture")

    def _merged(self, old: bytes, left_out: tuple[str, ...]) -> str:
        if not old or NAMESPACE.encode("ascii") in old:  # one of ours says nothing of this picture
            return _BEGIN + self._description("", left_out) + _END
        try:
            text = old.decode("utf-8")
        except UnicodeDecodeError:
            text = ""
        head, end, tail = text.rpartition(_RDF_END)
        if not end:
            raise ValueError("a picture has metadata of its own that cannot be added to")
        return head + self._description(text, left_out) + end + tail

    def _description(self, old: str, left_out: tuple[str, ...]) -> str:
        spaces = "".join(f'\n xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
        told = "".join(f" {each}\n" for name, each in self._properties(left_out) if name not in old)
        return f'<rdf:Description rdf:about=""{spaces}>\n{told}</rdf:Description>\n'

    def _properties(self, left_out: tuple[str, ...]) -> list[tuple[str, str]]:
        found = [("Iptc4xmpExt:DigitalSourceType", _GENERATED), ("xmp:CreatorTool", "batchgen")]
        found += [(f"batchgen:{name}", str(self.facts[name])) for name in _NAMED if self.facts[name] is not None]
        record = {name: value for name, value in self.facts.items() if name not in left_out}
        if left_out:
            record["left_out"] = left_out
        found.append(("batchgen:record", json.dumps(record, ensure_ascii=True, separators=(",", ":"))))
        written = [(name, f"<{name}>{_escaped(text)}</{name}>") for name, text in found]
        if "prompt" in left_out:
            return written
        prompt = f'<rdf:Alt><rdf:li xml:lang="x-default">{_escaped(self.description)}</rdf:li></rdf:Alt>'
        return [("dc:description", f"<dc:description>{prompt}</dc:description>"), *written]


def _escaped(text: str) -> str:
    """Text as XML gives it back; a bare carriage return would come back as a newline."""
    text = _NOT_XML.sub("\ufffd", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")
