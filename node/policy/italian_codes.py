"""ISTAT province codes and the region each belongs to, for the mask `truncate` (ISTAT, territorial units)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROVINCES: Final[Mapping[str, str]] = {
    "01": "001 002 003 004 005 006 096 103",  # Piemonte
    "02": "007",  # Valle d'Aosta
    "03": "012 013 014 015 016 017 018 019 020 097 098 108",  # Lombardia
    "04": "021 022",  # Trentino-Alto Adige
    "05": "023 024 025 026 027 028 029",  # Veneto
    "06": "030 031 032 093",  # Friuli-Venezia Giulia
    "07": "008 009 010 011",  # Liguria
    "08": "033 034 035 036 037 038 039 040 099",  # Emilia-Romagna
    "09": "045 046 047 048 049 050 051 052 053 100",  # Toscana
    "10": "054 055",  # Umbria
    "11": "041 042 043 044 109",  # Marche
    "12": "056 057 058 059 060",  # Lazio
    "13": "066 067 068 069",  # Abruzzo
    "14": "070 094",  # Molise
    "15": "061 062 063 064 065",  # Campania
    "16": "071 072 073 074 075 110",  # Puglia
    "17": "076 077",  # Basilicata
    "18": "078 079 080 101 102",  # Calabria
    "19": "081 082 083 084 085 086 087 088 089",  # Sicilia
    "20": "090 091 092 095 104 105 106 107 111",  # Sardegna
}

REGION_OF_PROVINCE: Final[Mapping[str, str]] = {
    province: region for region, provinces in _PROVINCES.items() for province in provinces.split()
}
"""Region code of two digits by province code of three."""
