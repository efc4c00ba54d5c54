"""Exports as shops and spreadsheets write them, small."""

from typing import Final

SHOPIFY: Final = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Grams,"
    "Variant Inventory Qty,Variant Price,Image Src,Image Position,Image Alt Text,SEO Title,Variant Image,Cost per item,"
    "Status\r\n"
    'linen-shirt,Linen Shirt,"<p>Light &amp; airy.</p>\r\n<ul>\r\n<li>Washed, ""soft""</li>\r\n</ul>",Acme,Shirts,'
    '"summer, sale",TRUE,Size,S,00731,180,0,39.90,https://cdn.example.com/shirt-1.jpg?v=1,1,front,,,12.00,active\r\n'
    "linen-shirt,,,,,,,,M,00732,190,4,39.90,https://cdn.example.com/shirt-2.jpg?v=1,2,back,,,12.00,\r\n"
    "linen-shirt,,,,,,,,L,00733,200,7,39.90,,,,,,12.00,\r\n"
    "linen-shirt,,,,,,,,,,,,,https://cdn.example.com/shirt-3.jpg?v=1,3,detail,,,,\r\n"
    "mug,Café Mug ☕,<p>Stoneware</p>,Töpferei,Mugs,,TRUE,Title,Default Title,00801,400,0,14.00,"
    "https://cdn.example.com/mug.jpg?v=1,1,,,,5.00,active\r\n"
    "old-hat,Old Hat,,Acme,Hats,,FALSE,Title,Default Title,00900,100,3,9.00,,,,,,2.00,archived\r\n"
)

SEMICOLONS: Final = (
    "Handle;Title;Vendor;Variant SKU;Variant Price;Image Src;Status\r\n"
    'gruen-tee;"Grüner Tee; lose\r\n100 g";Müller & Söhne;00411;"4,90";https://cdn.example.com/tee.jpg;active\r\n'
    'gruen-tee;;;00412;"8,50";https://cdn.example.com/tee-2.jpg;\r\n'
)

WOOCOMMERCE: Final = (
    '\ufeffID,Type,SKU,Name,Published,"Is featured?","Visibility in catalog","Short description",Description,'
    '"In stock?",Stock,"Regular price",Categories,Tags,Images,Parent,"Attribute 1 name","Attribute 1 value(s)"\n'
    '21,variable,chair,"Oak Chair",1,0,visible,"A chair, of oak","<p>Solid\\noak</p>",1,,,"Furniture > Chairs",wood,'
    '"https://shop.example.com/a.jpg, https://shop.example.com/b.jpg",,Colour,"Natural, Black"\n'
    '22,variation,chair-n,"Oak Chair - Natural",1,0,visible,,,1,5,129,,,https://shop.example.com/a.jpg,chair,Colour,'
    "Natural\n"
    '23,simple,007,"Stool ""Low""",1,0,visible,,,1,2,49,Furniture,,https://shop.example.com/c.jpg,,,\n'
)

PLAIN: Final = "sku,product name,colour,photo\n0001,Desk lamp,brass,photos/lamp.png\n0002,Wall clock,,\n"
