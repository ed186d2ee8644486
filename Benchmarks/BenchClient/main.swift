print("follows")
