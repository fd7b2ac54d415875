"""Who acts where: worlds and policies as frozen descriptions, and data sets made of them."""
