"""The models that the gateway plays: their rules, their pretend prices, their cards in the catalogue."""

from dataclasses import dataclass
from typing import Final

from batchgen.api import wire
from batchgen.gateway.refusal import Refusal, bad

CHANNEL: Final = 1
_BORN: Final = "2026-01-01T00:00:00Z"
RESOLUTIONS: Final = ("1K", "2K", "4K")


@dataclass(frozen=True, slots=True)
class Model:
    """One model; `formats` is empty where the output format cannot be chosen, the first ratio is the default."""

    id: str
    owner: str
    aspect_ratios: tuple[str, ...]
    formats: tuple[str, ...]
    references: int
    price_micro_usd: int
    price_4k_micro_usd: int

    def price(self, resolution: str) -> int:
        """What one picture costs, in millionths of a dollar."""
        return self.price_4k_micro_usd if resolution == "4K" else self.price_micro_usd


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a create depends on the model; None where the request says nothing."""

    aspect_ratio: str | None
    resolution: str | None
    output_format: str | None


MODELS: Final = {
    model.id: model
    for model in (
        Model(
            "nano-banana-pro",
            "google",
            ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9", "auto"),
            ("png", "jpg"),
            references=8,
            price_micro_usd=134_000,
            price_4k_micro_usd=240_000,
        ),
        Model(
            "gpt-image-2",
            "openai",
            ("auto", "1:1", "9:16", "16:9", "4:3", "3:4"),
            (),
            references=16,
            price_micro_usd=70_000,
            price_4k_micro_usd=150_000,
        ),
    )
}


def settled(name: str, asked: Shape, references: int) -> tuple[Model, Shape]:
    """The model, and the shape with its defaults filled in.

    Raises:
        Refusal: 400 when the model is not played here or does not do this.
    """
    model = MODELS.get(name)
    if model is None:
        raise bad("model_not_found", "this model is not in /v1/models")
    refusal = problem(model, asked, references)
    if refusal is not None:
        raise refusal
    return model, filled(model, asked)


def filled(model: Model, asked: Shape) -> Shape:
    """The shape with the model's defaults where the request says nothing."""
    return Shape(
        model.aspect_ratios[0] if asked.aspect_ratio is None else asked.aspect_ratio,
        "1K" if asked.resolution is None else asked.resolution,
        (model.formats or (None,))[0] if asked.output_format is None else asked.output_format,
    )


def problem(model: Model, asked: Shape, references: int) -> Refusal | None:
    """What is wrong with a request to this model, if anything is."""
    shape = filled(model, asked)
    if shape.aspect_ratio not in model.aspect_ratios:
        return bad("invalid_aspect_ratio", f"{model.id} takes aspect_ratio {', '.join(model.aspect_ratios)}")
    if shape.resolution not in RESOLUTIONS:
        return bad("invalid_resolution", f"resolution is one of {', '.join(RESOLUTIONS)}")
    if shape.output_format is not None and shape.output_format not in model.formats:
        said = f"is one of {', '.join(model.formats)}" if model.formats else f"is not supported by {model.id}"
        return bad("invalid_output_format", f"output_format {said}")
    if references > model.references:
        return bad("too_many_references", f"{model.id} takes at most {model.references} reference pictures")
    return _crossed(shape) if model.id == "gpt-image-2" else None


def _crossed(shape: Shape) -> Refusal | None:
    match shape.aspect_ratio, shape.resolution:
        case "auto", "2K" | "4K":
            return bad("invalid_resolution", "aspect_ratio auto allows only resolution 1K; name a ratio")
        case "1:1", "4K":
            return bad("invalid_resolution", "aspect_ratio 1:1 does not allow resolution 4K")
    return None


def catalogue(request_mode: list[str]) -> wire.ModelList:
    """All models; `request_mode` is what a create may be answered with."""
    return {"object": "list", "data": [_card(model, request_mode) for model in MODELS.values()]}


def _card(model: Model, request_mode: list[str]) -> wire.ModelCard:
    return {
        "id": model.id,
        "object": "model",
        "name": model.id,
        "owned_by": model.owner,
        "brand_key": model.owner,
        "brand_image_url": f"/v1/models/brands/{model.owner}/image",
        "upstream_id": f"{model.owner}/{model.id}",
        "released_at": None,
        "modalities": ["text", "image"],
        "description": "Played on this machine: pictures are painted from the words, and prices are pretended.",
        "price_input_per_m": 0,
        "price_output_per_m": 0,
        "enabled": True,
        "created_at": _BORN,
        "updated_at": _BORN,
        "available_channels": [_channel()],
        "capabilities": _capabilities(model, request_mode),
    }


def _channel() -> wire.Channel:
    return {
        "id": CHANNEL,
        "name": "route-1",
        "slug": "route-1",
        "description": "This machine",
        "price_input_per_m": 0,
        "price_output_per_m": 0,
    }


def _capabilities(model: Model, request_mode: list[str]) -> wire.Capabilities:
    return {
        "async_supported": True,
        "request_mode": request_mode,
        "pricing": {
            "mode": "resolution",
            "tiers": [
                _tier("1k_2k", "1K and 2K", model.price_micro_usd),
                _tier("4k", "4K", model.price_4k_micro_usd),
            ],
        },
        "parameters": _parameters(model),
        "reference_input": {
            "supported": True,
            "transport": ["url", "multipart_file"],
            "max_items": model.references,
            "accepted_mime": list(wire.REFERENCE_TYPES),
            "max_size_per_file_bytes": wire.REFERENCE_BYTES,
        },
    }


def _tier(name: str, label: str, price: int) -> wire.PriceTier:
    return {"id": name, "label": label, "unit": "image", "price_micro_usdc": price}


def _parameters(model: Model) -> list[wire.Parameter]:
    known = {"aspect_ratio": model.aspect_ratios, "resolution": RESOLUTIONS, "output_format": model.formats}
    return [{"name": name, "enum": list(values), "required": False} for name, values in known.items() if values]
