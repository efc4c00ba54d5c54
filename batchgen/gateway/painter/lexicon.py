"""The painter's vocabulary: which words name a colour, a thing, a place, an hour; tables only."""

from typing import Final

from batchgen.gateway.painter.colour import Colour

COLOURS: Final[dict[str, Colour]] = {
    "red": (206, 48, 44), "crimson": (168, 24, 48), "scarlet": (220, 52, 40), "maroon": (112, 28, 38),
    "orange": (236, 128, 40), "amber": (240, 164, 44), "peach": (250, 190, 156), "coral": (244, 118, 98),
    "yellow": (246, 206, 64), "lemon": (248, 226, 96), "gold": (214, 166, 62), "golden": (220, 170, 66),
    "green": (74, 156, 88), "olive": (128, 132, 60), "lime": (160, 208, 70), "mint": (166, 222, 196),
    "emerald": (24, 140, 98), "sage": (156, 176, 146), "teal": (32, 136, 140), "turquoise": (64, 190, 190),
    "cyan": (70, 200, 222), "blue": (56, 108, 200), "navy": (30, 46, 96), "azure": (92, 164, 230),
    "cobalt": (34, 74, 176), "indigo": (70, 62, 160), "violet": (132, 84, 196), "purple": (128, 66, 168),
    "lavender": (188, 170, 226), "magenta": (212, 50, 150), "pink": (240, 146, 176), "rose": (226, 110, 132),
    "brown": (128, 84, 56), "chocolate": (96, 60, 42), "tan": (206, 172, 130), "beige": (226, 208, 180),
    "cream": (246, 236, 214), "ivory": (244, 238, 222), "white": (240, 240, 240), "black": (42, 42, 50),
    "grey": (140, 144, 152), "gray": (140, 144, 152), "charcoal": (70, 74, 82), "silver": (190, 196, 206),
}  # fmt: skip
"""Plain colours."""

MATERIALS: Final[dict[str, Colour]] = {
    "wooden": (164, 112, 70), "wood": (164, 112, 70), "oak": (176, 126, 78), "walnut": (108, 72, 50),
    "metal": (166, 174, 186), "metallic": (166, 174, 186), "steel": (160, 170, 184), "chrome": (196, 204, 216),
    "copper": (196, 112, 72), "bronze": (164, 114, 62), "brass": (206, 168, 84), "marble": (232, 230, 228),
    "ceramic": (236, 230, 220), "porcelain": (240, 240, 244), "clay": (188, 112, 80), "terracotta": (200, 112, 78),
    "glass": (176, 216, 228), "crystal": (184, 214, 240), "translucent": (176, 206, 236), "leather": (134, 82, 52),
    "velvet": (120, 32, 70), "concrete": (162, 162, 160), "stone": (150, 146, 140), "ice": (196, 226, 244),
    "rusty": (166, 88, 50), "ruby": (182, 26, 62), "sapphire": (32, 72, 180), "jade": (62, 156, 112),
    "pastel": (236, 196, 214), "rainbow": (240, 110, 140),
}  # fmt: skip
"""Stuff that has a colour of its own."""

TIMES: Final[dict[str, str]] = {
    "dawn": "dawn", "sunrise": "dawn", "morning": "dawn", "early": "dawn", "day": "day", "noon": "day", "sunny": "day",
    "daylight": "day", "summer": "day", "spring": "day", "sunset": "sunset", "evening": "sunset", "autumn": "sunset",
    "fall": "sunset", "warm": "sunset", "dusk": "dusk", "twilight": "dusk", "night": "night", "midnight": "night",
    "nighttime": "night", "moonlit": "night", "moonlight": "night", "starry": "night",
    "neon": "neon", "cyberpunk": "neon", "synthwave": "neon", "vaporwave": "neon", "storm": "storm", "stormy": "storm",
    "rain": "storm", "rainy": "storm", "thunderstorm": "storm", "lightning": "storm", "cloudy": "storm",
    "gloomy": "storm", "thunder": "storm", "mist": "mist",
    "misty": "mist", "fog": "mist", "foggy": "mist", "hazy": "mist", "winter": "winter", "snowy": "winter",
    "frozen": "winter", "icy": "winter", "cold": "winter",
}  # fmt: skip
"""Hours, weathers and moods that colour the light."""

PLACES: Final[dict[str, str]] = {
    "studio": "studio", "product": "studio", "render": "studio", "minimal": "studio", "minimalist": "studio",
    "backdrop": "studio", "clean": "studio", "desk": "desk", "table": "desk", "tabletop": "desk", "workspace": "desk",
    "kitchen": "desk", "cafe": "desk", "counter": "desk", "shelf": "desk", "office": "desk", "desert": "desert",
    "dune": "desert", "sahara": "desert", "ocean": "ocean", "sea": "ocean", "wave": "ocean", "lake": "ocean",
    "water": "ocean", "harbor": "ocean", "harbour": "ocean", "river": "ocean", "bay": "ocean", "coast": "beach",
    "beach": "beach", "shore": "beach", "island": "beach", "tropical": "beach", "sand": "beach", "sky": "sky",
    "cloud": "sky", "clouds": "sky", "air": "sky", "heaven": "sky", "space": "space", "galaxy": "space",
    "nebula": "space", "cosmos": "space", "cosmic": "space", "star": "space", "orbit": "space", "universe": "space",
    "city": "city", "skyline": "city", "cityscape": "city", "skyscraper": "city", "street": "city", "urban": "city",
    "downtown": "city", "tokyo": "city", "alley": "city", "snow": "snow", "arctic": "snow", "glacier": "snow",
    "ski": "snow", "meadow": "meadow", "garden": "meadow", "field": "meadow", "park": "meadow", "grass": "meadow",
    "hill": "meadow", "countryside": "meadow", "lawn": "meadow", "farm": "meadow", "forest": "forest",
    "woods": "forest", "jungle": "forest", "woodland": "forest", "rainforest": "forest", "mountain": "mountain",
    "alps": "mountain", "peak": "mountain", "himalaya": "mountain", "canyon": "mountain",
    "landscape": "mountain", "volcano": "mountain", "cliff": "mountain", "underwater": "underwater",
    "reef": "underwater", "aquarium": "underwater", "seabed": "underwater", "interior": "interior",
    "room": "interior", "bedroom": "interior", "livingroom": "interior", "loft": "interior", "indoor": "interior",
    "gallery": "interior", "bathroom": "interior", "abstract": "abstract", "pattern": "abstract", "texture": "abstract",
    "gradient": "abstract", "wallpaper": "abstract", "background": "studio", "savanna": "savanna",
    "savannah": "savanna", "steppe": "savanna",
    "brick": "wall", "wall": "wall", "valley": "meadow",
}  # fmt: skip
"""Where it is."""

THINGS: Final[dict[str, str]] = {
    "cube": "cube", "box": "cube", "gateway": "cube", "block": "cube", "package": "cube", "gift": "cube",
    "sphere": "sphere", "ball": "sphere", "orb": "sphere", "globe": "sphere", "planet": "planet", "mars": "planet",
    "saturn": "planet", "bubble": "sphere", "pearl": "sphere", "pyramid": "pyramid", "cone": "pyramid",
    "gem": "gem", "diamond": "gem", "jewel": "gem", "gemstone": "gem", "bottle": "bottle", "perfume": "bottle",
    "wine": "bottle", "flask": "bottle", "vase": "vase", "pot": "vase", "jar": "vase", "shoe": "shoe",
    "sneaker": "shoe", "boot": "shoe", "trainer": "shoe", "mug": "mug", "cup": "mug", "coffee": "mug", "tea": "mug",
    "teacup": "mug", "espresso": "mug", "chair": "chair", "armchair": "chair", "stool": "chair", "sofa": "chair",
    "lamp": "lamp", "lantern": "lamp", "car": "car", "automobile": "car", "taxi": "car",
    "truck": "car", "van": "car", "house": "house", "cabin": "house", "cottage": "house", "barn": "house",
    "home": "house", "hut": "house", "flower": "flower", "tulip": "flower", "daisy": "flower", "sunflower": "flower",
    "bouquet": "flower", "orchid": "flower", "blossom": "flower", "plant": "plant", "cactus": "cactus",
    "tree": "tree", "bonsai": "tree", "pine": "fir", "fir": "fir", "palm": "palm",
    "cat": "cat", "kitten": "cat", "kitty": "cat", "dog": "dog", "puppy": "dog", "fox": "fox", "wolf": "fox",
    "bird": "bird", "parrot": "bird", "eagle": "bird", "sparrow": "bird", "robin": "bird",
    "fish": "fish", "goldfish": "fish", "shark": "fish", "koi": "fish", "whale": "whale", "robot": "robot",
    "android": "robot", "droid": "robot", "bot": "robot", "book": "book", "novel": "book", "notebook": "book",
    "laptop": "laptop", "computer": "laptop", "dashboard": "laptop", "monitor": "laptop", "screen": "laptop",
    "website": "laptop", "app": "phone", "phone": "phone", "smartphone": "phone", "tablet": "phone", "cake": "cake",
    "cupcake": "cake", "birthday": "cake", "dessert": "cake", "clock": "clock", "watch": "clock", "alarm": "clock",
    "rocket": "rocket", "spaceship": "rocket", "spacecraft": "rocket", "missile": "rocket", "boat": "boat",
    "ship": "boat", "sailboat": "boat", "yacht": "boat", "bridge": "bridge", "castle": "castle", "palace": "castle",
    "fortress": "castle", "tower": "castle", "apple": "apple", "fruit": "apple", "tomato": "apple",
    "cherry": "apple", "pear": "pear", "citrus": "citrus",
    "person": "person", "portrait": "person", "woman": "person", "man": "person", "girl": "child", "boy": "child",
    "football": "sphere",
    "people": "person", "kid": "child", "children": "child", "king": "person", "queen": "person", "child": "child",
    "face": "person",
    "astronaut": "astronaut", "balloon": "balloon", "butterfly": "butterfly", "mushroom": "mushroom",
    "toadstool": "mushroom", "headphone": "headphones", "headphones": "headphones", "headset": "headphones",
    "candle": "candle", "umbrella": "umbrella", "heart": "heart", "guitar": "guitar", "camera": "camera",
    "elephant": "elephant", "owl": "owl", "penguin": "penguin", "rabbit": "rabbit", "bunny": "rabbit", "hare": "rabbit",
    "hamburger": "burger", "burger": "burger", "cheeseburger": "burger", "icecream": "icecream", "gelato": "icecream",
    "pizza": "pizza", "teapot": "teapot", "kettle": "teapot", "bed": "bed", "sign": "sign", "poster": "sign",
    "billboard": "sign", "signboard": "sign", "bicycle": "bicycle", "bike": "bicycle", "train": "train",
    "locomotive": "train", "bus": "bus", "tram": "bus", "clownfish": "fish",
    "moon": "moon", "sun": "sun", "lighthouse": "lighthouse", "pumpkin": "pumpkin", "crown": "crown",
}  # fmt: skip
"""What can be drawn as a subject."""

HOMES: Final[dict[str, str]] = {
    "house": "meadow", "tree": "meadow", "fir": "snow", "flower": "meadow", "cat": "interior", "dog": "meadow",
    "fox": "forest", "bird": "sky", "fish": "underwater", "whale": "ocean", "boat": "ocean", "bridge": "ocean",
    "castle": "mountain", "rocket": "sky", "planet": "space", "astronaut": "space", "palm": "beach", "car": "city",
    "butterfly": "meadow", "mushroom": "forest", "balloon": "sky", "cactus": "desert", "moon": "sky", "sun": "sky",
    "book": "desk", "laptop": "desk", "mug": "desk", "candle": "desk", "lighthouse": "beach", "chair": "interior",
    "lamp": "interior", "plant": "interior", "cake": "desk", "umbrella": "city", "pumpkin": "meadow",
    "elephant": "savanna", "owl": "forest", "penguin": "snow", "rabbit": "meadow", "burger": "desk", "pizza": "desk",
    "teapot": "desk", "icecream": "studio", "bed": "interior", "bicycle": "city", "train": "meadow", "bus": "city",
    "child": "meadow", "rainbow": "meadow", "sign": "meadow",
}  # fmt: skip
"""Where a subject is found when the words name no place; a studio otherwise."""

OWN_COLOURS: Final[dict[str, Colour]] = {
    "cube": (120, 156, 206), "sphere": (226, 120, 90), "planet": (206, 148, 96), "pyramid": (222, 178, 110),
    "gem": (96, 186, 220), "bottle": (70, 128, 104), "vase": (206, 120, 86), "shoe": (232, 84, 72),
    "mug": (228, 220, 206), "chair": (214, 140, 84), "lamp": (238, 196, 110), "car": (204, 58, 52),
    "house": (232, 212, 186), "flower": (228, 84, 112), "plant": (78, 150, 92), "cactus": (84, 148, 92),
    "tree": (96, 156, 84), "fir": (56, 108, 84), "palm": (88, 158, 90), "cat": (216, 146, 84), "dog": (190, 138, 92),
    "fox": (222, 112, 52), "bird": (70, 128, 196), "fish": (244, 136, 56), "whale": (72, 108, 152),
    "robot": (170, 186, 204), "book": (156, 60, 60), "laptop": (168, 174, 186), "phone": (60, 64, 76),
    "cake": (244, 206, 200), "clock": (218, 184, 120), "rocket": (236, 236, 240), "boat": (180, 72, 56),
    "bridge": (196, 82, 62), "castle": (192, 184, 174), "apple": (206, 46, 48), "pear": (186, 196, 84),
    "citrus": (246, 156, 48), "person": (74, 104, 156), "astronaut": (236, 238, 244), "balloon": (226, 78, 74),
    "butterfly": (238, 140, 46), "mushroom": (206, 58, 48), "headphones": (58, 60, 72), "candle": (240, 228, 204),
    "umbrella": (212, 58, 66), "heart": (220, 52, 76), "guitar": (190, 116, 60), "camera": (58, 60, 68),
    "moon": (240, 236, 216), "sun": (255, 214, 110), "lighthouse": (240, 240, 240), "pumpkin": (232, 128, 44),
    "crown": (226, 180, 70), "elephant": (140, 144, 156), "owl": (156, 116, 80), "penguin": (52, 58, 78),
    "rabbit": (196, 176, 158), "burger": (112, 66, 46), "icecream": (244, 138, 160), "pizza": (200, 60, 44),
    "teapot": (72, 128, 178), "bed": (84, 128, 190), "sign": (176, 126, 78), "bicycle": (204, 58, 52),
    "train": (168, 44, 44), "bus": (222, 66, 52), "child": (236, 158, 60), "rainbow": (240, 110, 140),
}  # fmt: skip
"""What colour a subject has when no word says so."""

NAMESAKES: Final[dict[str, str]] = {
    "orange": "citrus", "lemon": "citrus", "lime": "citrus", "peach": "apple", "rose": "flower", "violet": "flower",
    "lavender": "flower", "rainbow": "rainbow",
}  # fmt: skip
"""Colours that are also things; a thing when no noun follows."""

TONES: Final[dict[str, float]] = {
    "dark": -0.45, "deep": -0.35, "light": 0.4, "pale": 0.5, "pastel": 0.5, "bright": 0.12, "soft": 0.25,
}  # fmt: skip
"""Words that make the next colour darker or lighter."""

NUMBERS: Final[dict[str, int]] = {
    "two": 2, "pair": 2, "couple": 2, "both": 2, "three": 3, "several": 3, "trio": 3, "some": 3, "four": 4,
    "many": 5, "five": 5, "six": 6, "seven": 7, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 7,
}  # fmt: skip
"""How many."""

PHRASES: Final[dict[str, str]] = {
    "barn owl": "owl", "ice cream cone": "icecream", "ice cream": "icecream", "hot air balloon": "balloon",
    "hot-air balloon": "balloon",
    "coral reef": "reef", "alarm clock": "clock", "golden retriever": "golden dog", "palm tree": "palm",
    "pine tree": "fir", "fir tree": "fir", "christmas tree": "fir", "steam train": "train", "steam engine": "train",
    "after the rain": "", "living room": "room", "sand dune": "dune", "soccer ball": "football", "tennis shoe": "shoe",
    "birthday cake": "cake", "high heel": "shoe", "cup of": "", "slice of": "", "bowl of": "", "wall clock": "clock",
    "horse chestnut": "tree", "street lamp": "lamp", "fire truck": "red truck", "space station": "space",
}  # fmt: skip
"""Words that mean something else together, looked up before words alone."""

WORN: Final = frozenset(
    {"dress", "shirt", "coat", "jacket", "sweater", "icing", "frosting", "glaze", "paint", "fur", "feather", "petal"}
)
"""Their colour is that of what they are on."""

WEATHER: Final[dict[str, str]] = {
    "rain": "rain", "rainy": "rain", "raining": "rain", "downpour": "rain", "thunderstorm": "lightning",
    "thunder": "lightning", "lightning": "lightning", "snowing": "snow", "snowfall": "snow", "blizzard": "snow",
}  # fmt: skip
"""What falls from the sky."""

CHARACTERS: Final[dict[str, str]] = {
    "山": "mountain", "海": "ocean", "波": "wave", "森": "forest", "空": "sky", "雪": "snow", "砂漠": "desert",
    "沙漠": "desert", "街": "city", "城市": "city", "都市": "city", "宇宙": "space", "夜": "night", "夕": "sunset",
    "朝": "dawn", "猫": "cat", "犬": "dog", "狗": "dog", "鳥": "bird", "鸟": "bird", "魚": "fish", "鱼": "fish",
    "花": "flower", "木": "tree", "樹": "tree", "车": "car", "車": "car", "家": "house", "城": "castle", "船": "boat",
    "橋": "bridge", "桥": "bridge", "本": "book", "书": "book", "月": "moon", "机": "desk", "人": "person",
    "赤": "red", "红": "red", "紅": "red", "青": "blue", "蓝": "blue", "緑": "green", "绿": "green", "白": "white",
    "黒": "black", "黑": "black", "金": "gold", "黄": "yellow", "紫": "purple", "雾": "misty", "霧": "misty",
}  # fmt: skip
"""Words of writings without spaces, looked up before all others."""
