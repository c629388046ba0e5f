"""Name -> board."""

from ..kit import Kit
from .butterstick import BUTTERSTICK
from .colorlight_5a_75b import COLORLIGHT_5A_75B
from .ecpix5 import ECPIX5_45F, ECPIX5_85F
from .versa_ecp5 import VERSA_ECP5, VERSA_ECP5_5G

KITS: dict[str, Kit] = {
    kit.name: kit
    for kit in (
        VERSA_ECP5, VERSA_ECP5_5G, COLORLIGHT_5A_75B, ECPIX5_45F, ECPIX5_85F, BUTTERSTICK,
    )
}
"""By name."""
