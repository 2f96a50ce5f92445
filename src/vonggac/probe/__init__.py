"""What a connection says about a camera: figures, advice, and a record of it without a picture.

Pure: bytes and times in, values out. Who connects is the appliance.
"""
